"""A small disk of its own for the store, which can be filled."""

import contextlib
import errno
import os
import subprocess

# What a message takes at most, with all that is kept for it, and what there is
# beside that.
BYTES_A_MESSAGE = 4096
BYTES = 64 * 1024 * 1024


class Disk:
    """`folder` is where it is; an ordinary folder where it cannot be mounted
    (is_there is false then)."""

    def __init__(self, folder, messages):
        self.folder = folder
        os.makedirs(folder)
        self._filler = os.path.join(folder, "filler")
        size = BYTES + BYTES_A_MESSAGE * messages
        self.is_there = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=%d,mode=700" % size,
             "xmpproxy-chaos", folder], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL).returncode == 0

    def fill(self):
        """To the last byte; again, where some became free."""
        fd = os.open(self._filler, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        try:
            room = os.statvfs(self.folder)
            size = os.fstat(fd).st_size
            with contextlib.suppress(OSError):
                if room.f_bfree:
                    os.posix_fallocate(fd, size,
                                       room.f_bfree * room.f_frsize)
            while True:
                os.write(fd, b"x" * 4096)
        except OSError as e:
            if e.errno != errno.ENOSPC:
                raise
        finally:
            os.close(fd)

    def free(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._filler)

    def end(self):
        if self.is_there:
            subprocess.run(["umount", "-l", self.folder],
                           stdin=subprocess.DEVNULL)
            self.is_there = False
