"""A client on libstrophe: the program strophe_client, driven by lines."""

import asyncio
import os
import shlex
import signal
import subprocess
import tempfile
import xml.etree.ElementTree as ET

from .client import Client
from .wait import Failed

SOURCE = os.path.join(os.path.dirname(__file__), "..", "strophe_client.c")
LINE_BYTES = 32 * 1024 * 1024


def program(folder):
    """The path of strophe_client: of the build that BUILD names, else made
    in the folder."""
    built = os.path.join(os.environ.get("BUILD", ""),
                         "tests/interop/strophe_client")
    if "BUILD" in os.environ and os.path.exists(built):
        return os.path.abspath(built)
    made = os.path.join(folder, "strophe_client")
    if not os.path.exists(made):
        flags = subprocess.check_output(
            ["pkg-config", "--cflags", "--libs", "libstrophe", "expat"])
        subprocess.check_call(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2",
                               "-o", made, SOURCE,
                               *shlex.split(flags.decode())])
    return made


class StropheClient(Client):
    kind = "libstrophe"

    def __init__(self, path, *args, **options):
        super().__init__(*args, **options)
        self._path = path
        self._child = None
        self._reading = None
        self._errors = None         # a file

    async def _connect(self):
        self._errors = tempfile.TemporaryFile()
        self._child = await asyncio.create_subprocess_exec(
            self._path, self.jid, self.password, self.host, str(self.port),
            self.tls, self.ca, limit=LINE_BYTES, start_new_session=True,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=None if "STROPHE_DEBUG" in os.environ else self._errors)
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self):
        async for line in self._child.stdout:
            word, _, rest = line.decode().rstrip("\n").partition(" ")
            if word == "up":
                self._bound(rest)
            elif word == "resumed":
                self._resumed()
            elif word == "down":
                self._over(rest)
            elif word == "stanza":
                # The root carries no xmlns where it is the stream's.
                self._took(ET.fromstring(
                    "<x xmlns='jabber:client'>%s</x>" % rest)[0])
            else:
                raise Failed("%s: strange line %r" % (self.label, line))
        self._over("strophe_client ended")

    async def _connect_again(self):
        if self._child.returncode is not None:
            raise Failed("%s: strophe_client ended with %d"
                         % (self.label, self._child.returncode))
        self._child.stdin.write(b"again\n")

    def send(self, xml):
        self._child.stdin.write(xml.replace("\n", " ").encode() + b"\n")

    async def close(self):
        if self._child is None:
            return
        self._child.stdin.close()
        try:
            await asyncio.wait_for(self._child.wait(), 10)
        except asyncio.TimeoutError:
            self._child.kill()
        await self._reading
        status = self._child.returncode
        if status not in (0, -signal.SIGKILL):
            self._errors.seek(0)
            raise Failed("strophe_client ends with %s: %s" % (
                status, self._errors.read()[:3000].decode("utf-8", "replace")))

    def cut(self):
        self._child.kill()
