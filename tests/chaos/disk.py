"""A small disk of its own for the store, which can be filled."""

import contextlib
import ctypes
import errno
import os
import shutil
import subprocess

# What a message takes at most, with all that is kept for it, and what there is
# beside that.
BYTES_A_MESSAGE = 4096
BYTES = 64 * 1024 * 1024


CLONE_NEWNS = 0x20000


def mount(*words):
    """Whether that worked."""
    return subprocess.run(["mount", *words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


class Disk:
    """`folder` is where it is; an ordinary folder where it cannot be mounted
    (is_there is false then). The mount is this process's own and its
    children's: it goes with them, however they end."""

    def __init__(self, folder, messages, wanted):
        self.folder = folder
        os.makedirs(folder)
        self._filler = os.path.join(folder, "filler")
        size = BYTES + BYTES_A_MESSAGE * messages
        self.is_there = \
            wanted and os.geteuid() == 0 and \
            ctypes.CDLL(None).unshare(CLONE_NEWNS) == 0 and \
            mount("--make-rprivate", "/") and \
            mount("-t", "tmpfs", "-o", "size=%d,mode=700" % size,
                  "xmpproxy-chaos", folder)

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

    def save(self, folder):
        """What is on it, for somebody who wants to look at it later."""
        self.free()
        if self.is_there:
            shutil.copytree(self.folder, folder)

    def end(self):
        if self.is_there:
            subprocess.run(["umount", self.folder], check=True)
            self.is_there = False
