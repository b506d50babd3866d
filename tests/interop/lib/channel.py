"""A login bound to its TLS 1.3 channel (RFC 9266), which neither library knows
and Python cannot: openssl s_client holds the channel and tells its keys."""

import asyncio
import base64
import hashlib
import hmac
import os
import re

from .raw import HEADER
from .wait import PATIENCE, Failed

LABEL = "EXPORTER-Channel-Binding"
KEY = re.compile(rb"Keying material: ([0-9A-F]{64})\n")
SECONDS = 20


def digest(key, text):
    return hmac.digest(key, text, "sha256")


class Channel:
    """A stream over direct TLS up to the login; `key` is what it is bound to,
    `features` what came with the header."""

    def __init__(self, host, port, domain, ca):
        self._command = (
            "openssl", "s_client", "-connect", "%s:%d" % (host, port),
            "-servername", domain, "-alpn", "xmpp-client", "-tls1_3",
            "-CAfile", ca, "-verify_return_error", "-nocommands", "-ign_eof",
            "-keymatexport", LABEL, "-keymatexportlen", "32")
        self._domain = domain
        self._child = None
        self.key = None
        self.features = None

    async def __aenter__(self):
        self._child = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL)
        found = KEY.search(await self._until(KEY))
        self.key = bytes.fromhex(found.group(1).decode())
        self.features = await self._ask(HEADER % self._domain, "features")
        return self

    async def __aexit__(self, kind, error, trace):
        self._child.kill()
        await self._child.wait()

    async def _until(self, pattern):
        said = b""
        async with asyncio.timeout(PATIENCE * SECONDS):
            while not re.search(pattern, said):
                data = await self._child.stdout.read(65536)
                if not data:
                    raise Failed("openssl s_client ends: %s" % said[-500:])
                said += data
        return said

    async def _ask(self, xml, *names):
        """The answer, up to the end tag of one of these."""
        self._child.stdin.write(xml.encode())
        return (await self._until(
            ("</(stream:)?(%s)>" % "|".join(names)).encode())).decode()

    async def _exchange(self, name, attributes, message):
        answer = await self._ask(
            "<%s xmlns='urn:ietf:params:xml:ns:xmpp-sasl'%s>%s</%s>" % (
                name, attributes, base64.b64encode(message).decode(), name),
            "challenge", "success", "failure")
        if "<failure" in answer:
            raise Failed("login: " + answer)
        return base64.b64decode(re.search(">([^<]*)</", answer).group(1))

    async def login(self, name, password, key=None):
        """SCRAM-SHA-256-PLUS; key: to say another than the channel's."""
        gs2 = b"p=tls-exporter,,"
        bare = b"n=%s,r=%s" % (name.encode(), os.urandom(12).hex().encode())
        first = await self._exchange(
            "auth", " mechanism='SCRAM-SHA-256-PLUS'", gs2 + bare)
        said = dict(part.split(b"=", 1) for part in first.split(b","))
        salted = hashlib.pbkdf2_hmac(
            "sha256", password.encode(), base64.b64decode(said[b"s"]),
            int(said[b"i"]))
        final = b"c=%s,r=%s" % (base64.b64encode(gs2 + (key or self.key)),
                                said[b"r"])
        text = b",".join((bare, first, final))
        client = digest(salted, b"Client Key")
        signature = digest(hashlib.sha256(client).digest(), text)
        proof = bytes(a ^ b for a, b in zip(client, signature))
        last = await self._exchange(
            "response", "", final + b",p=" + base64.b64encode(proof))
        server = digest(digest(salted, b"Server Key"), text)
        if last != b"v=" + base64.b64encode(server):
            raise Failed("not the proxy's signature: %r" % last)
