"""Profanity in a terminal of its own: a client that encrypts (OMEMO).

It is driven as by a person, by lines of input. What it did is read where it
writes it down: its log, and the database of its conversations, in which each
message stands as it was read, and how it was encrypted.
"""

import asyncio
import base64
import fcntl
import os
import pty
import re
import sqlite3
import struct
import termios
from collections import namedtuple

from .process import Process
from .wait import Failed, poll

ACCOUNT = """\
[{jid}]
enabled=true
jid={jid}
resource={resource}
server={host}
port={port}
password={password}
tls.policy=force
presence.login=online
"""
# inpblock: ms that it waits for a key each time before it reads a few KiB from
# the network. A key bundle is many times that, and a second by default.
SETTINGS = """\
[ui]
inpblock=5
inpblock.dynamic=false
[connection]
reconnect=1
tls.certpath={certificates}
[omemo]
trustmode=blind
log=on
"""
ROWS, COLUMNS = 50, 200
DEVICE = re.compile(r"\[OMEMO\] device id: (\d+)")
SENDER = re.compile(r'RECV: .*<header sid="(\d+)"')
FIRST_KEY = r'<key rid="%s" prekey="true">([^<]+)<'

# frm, to: bare JIDs. how: what it was encrypted with.
Message = namedtuple("Message", "body frm to how")


def file_name(jid):
    return jid.replace("@", "_at_")


class Unlucky(Failed):
    """Two have encrypted to a device with the same one of its hundred keys for
    a first message, each of which can be used once: Profanity chooses one by
    chance, and cannot read the second message. Nobody could."""


def key_id(first_message):
    """Which key a first message is for: behind the version and a tag stands
    the number, in seven bits a byte."""
    number = 0
    for at, byte in enumerate(base64.b64decode(first_message)[2:]):
        number |= (byte & 127) << 7 * at
        if byte < 128:
            break
    return number


class Profanity:
    def __init__(self, label, jid, password, host, port, certificates, folder):
        """jid: the bare one. certificates: a folder as openssl rehash makes
        it, of those whom it trusts."""
        self.label = label
        self.bare = jid
        self.home = os.path.join(folder, label)
        self.process = Process(label, os.path.join(self.home, "log"))
        self.device = None          # its id, once it has keys
        self._terminal = None
        self._screen = b""          # its end, for the one who has to look
        self._lines = []            # of its log, so far
        self._log_bytes = 0
        self._senders = {}          # of first messages, by the key they took
        for part, text in (
                ("data/profanity/accounts", ACCOUNT.format(
                    jid=jid, resource=label, host=host, port=port,
                    password=password)),
                ("config/profanity/profrc", SETTINGS.format(
                    certificates=certificates))):
            path = os.path.join(self.home, part)
            os.makedirs(os.path.dirname(path))
            with open(path, "w") as f:
                f.write(text)

    async def login(self):
        since = len(self._lines)
        self._terminal, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ,
                    struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.set_blocking(self._terminal, False)
        asyncio.get_running_loop().add_reader(self._terminal, self._read)
        env = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8", HOME=self.home,
                   XDG_CONFIG_HOME=self.home + "/config",
                   XDG_DATA_HOME=self.home + "/data")
        try:
            await self.process.start(
                "profanity", "--log", "DEBUG", "--logfile", self.process.log,
                "--account", self.bare, cwd=self.home, env=env, terminal=child)
        finally:
            os.close(child)
        await self.until_log("logged in successfully", since)

    def _read(self):
        try:
            data = os.read(self._terminal, 65536)
        except OSError:             # as a terminal ends
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._terminal)
        self._screen = (self._screen + data)[-ROWS * COLUMNS:]

    def lines(self):
        """How many there are in its log."""
        with open(self.process.log, "rb") as f:
            f.seek(self._log_bytes)
            text = f.read()
        end = text.rfind(b"\n") + 1
        self._log_bytes += end
        lines = text[:end].decode("utf-8", "replace").splitlines()
        for line in lines:
            self._check_luck(line)
        self._lines += lines
        return len(self._lines)

    def _check_luck(self, line):
        sender = SENDER.search(line)
        key = sender and re.search(FIRST_KEY % self.device, line)
        if not key:
            return
        first = self._senders.setdefault(key_id(key.group(1)), sender.group(1))
        if first != sender.group(1):
            raise Unlucky("%s got two first messages for one key"
                          % self.label)

    async def until_log(self, word, since=0):
        """The number of the first line with that word, from `since` on."""
        def look():
            nonlocal since
            seen, since = since, self.lines()
            if not self.process.is_running():
                raise Failed("%s ended with %s: %r" % (
                    self.label, self.process.status, self._screen[-2000:]))
            return next((number for number in range(seen, since)
                         if word in self._lines[number]), None)
        return await poll(look, 20, "%s logs %s" % (self.label, word))

    async def enter(self, line):
        """Returns when it has taken the line."""
        since = self.lines()
        os.write(self._terminal, line.encode() + b"\r")
        await self.until_log("Input received: " + line, since)

    async def make_keys(self):
        """It makes its keys and publishes them."""
        await self.enter("/omemo gen")
        line = await self.until_log("[OMEMO] device id: ")
        await self.until_log("[OMEMO] bundle published successfully")
        self.device = DEVICE.search(self._lines[line]).group(1)

    async def until_session(self, other):
        """Until it can encrypt to that one."""
        await self.until_log("session with %s device %s"
                             % (other.bare, other.device))

    async def until_listed(self, other, since=0):
        """Until it was told of that one's device."""
        await self.until_log('<device id="%s"' % other.device, since)

    def messages(self):
        """Those that it could read, in its order."""
        path = os.path.join(self.home, "data/profanity/database",
                            file_name(self.bare), "chatlog.db")
        # Without a lock: Profanity loses what it cannot write at once.
        base = sqlite3.connect("file:%s?immutable=1" % path, uri=True)
        try:
            return [Message(*row) for row in base.execute(
                "SELECT message, from_jid, to_jid, encryption FROM ChatLogs "
                "ORDER BY id")]
        except sqlite3.DatabaseError:   # it was writing
            return []
        finally:
            base.close()

    async def until_message(self, body):
        def look():
            self.lines()            # for the luck in it
            return [m for m in self.messages() if m.body == body]
        found = await poll(look, 20, "%s reads %r" % (self.label, body))
        return found[0]

    async def close(self):
        if self._terminal is None:
            return
        try:
            if self.process.is_running():
                os.write(self._terminal, b"/quit\r")
                await asyncio.wait_for(self.process.wait(), 10)
        except asyncio.TimeoutError:
            await self.process.kill()
        finally:
            asyncio.get_running_loop().remove_reader(self._terminal)
            os.close(self._terminal)
            self._terminal = None
