"""A program that runs beside the tests, its output in a file."""

import asyncio
import os
import signal

from .wait import PATIENCE, Failed, poll


class Process:
    _all = []

    def __init__(self, name, log):
        Process._all.append(self)
        self.name = name
        self.log = log          # path; what it says on stdout and stderr
        self._child = None

    @property
    def pid(self):
        return self._child.pid

    @property
    def status(self):
        """The exit status; None while it runs."""
        return self._child.returncode if self._child else None

    async def kill(self):
        self._child.kill()
        await self._child.wait()

    def is_running(self):
        return self._child is not None and self._child.returncode is None

    async def start(self, *command, cwd=None, env=None, terminal=None):
        """terminal: what it has in place of no input and the log."""
        # A session of its own: Ctrl-C in the terminal is for us to pass on.
        with open(self.log, "ab") as log:
            out = log if terminal is None else terminal
            self._child = await asyncio.create_subprocess_exec(
                *command, cwd=cwd, env=env, start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL if out is log else out,
                stdout=out, stderr=out)

    async def wait(self):
        return await self._child.wait()

    async def stop(self, seconds=15):
        """SIGTERM, SIGKILL after a while; returns the exit status."""
        if self._child is None:
            return None
        for sig in signal.SIGTERM, signal.SIGKILL:
            if not self.is_running():
                break
            self._child.send_signal(sig)
            try:
                await asyncio.wait_for(self._child.wait(),
                                       PATIENCE * seconds)
            except asyncio.TimeoutError:
                continue
        return self._child.returncode

    @classmethod
    def kill_all(cls):
        """For the way out, when no loop is there any more."""
        for process in cls._all:
            if process.is_running():
                os.kill(process.pid, signal.SIGKILL)

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def tail(self, lines=15):
        return "\n".join(self.output().splitlines()[-lines:])

    async def until_ready(self, look, seconds):
        async def alive():
            if not self.is_running():
                raise Failed("%s ended with %s:\n%s"
                             % (self.name, self.status, self.tail()))
            return await look()
        try:
            await poll(alive, seconds, "%s is ready" % self.name)
        except Failed as failed:
            raise Failed("%s\n%s" % (failed, self.tail())) from None

    def _kib(self, field):
        with open("/proc/%d/status" % self.pid) as f:
            for line in f:
                if line.startswith(field + ":"):
                    return int(line.split()[1])
        raise Failed("no %s of %s" % (field, self.name))

    def rss(self):
        """Resident memory in KiB."""
        return self._kib("VmRSS")

    def check_growth(self, before, most):
        """Fails where it is now by more than `most` KiB above `before`. A
        sanitizer keeps what was freed: then RSS tells nothing."""
        with open("/proc/%d/maps" % self.pid) as f:
            maps = f.read()
        if "libasan" in maps or "valgrind" in maps:
            return
        grown = self.rss() - before
        if grown > most:
            raise Failed("%s grew by %d KiB" % (self.name, grown))

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.pid))

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.pid) as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
