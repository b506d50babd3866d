"""A client made of a socket: for what no library would send, and for crowds.

It reads with expat like the others, but what it writes is up to the caller.
"""

import asyncio
import base64
import re
import ssl
import xml.etree.ElementTree as ET

from .client import Client
from .wait import PATIENCE, Failed

HEADER = ("<?xml version='1.0'?><stream:stream to='%s' version='1.0' "
          "xmlns='jabber:client' "
          "xmlns:stream='http://etherx.jabber.org/streams'>")
STREAM = "{http://etherx.jabber.org/streams}"
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
BIND = "{urn:ietf:params:xml:ns:xmpp-bind}"
PING = "{urn:xmpp:ping}ping"


class Pieces:
    """Whole children of the stream, out of bytes as they come."""

    def __init__(self):
        self._parser = ET.XMLPullParser(("start", "end"))
        self._depth = 0
        self._root = None
        self._rest = b""
        self.is_over = False

    def feed(self, data):
        data = self._rest + data
        cut = data.rfind(b">") + 1      # see SlixmppClient
        self._rest = data[cut:]
        if not cut:
            return
        self._parser.feed(data[:cut])
        for event, elem in self._parser.read_events():
            if event == "start":
                self._depth += 1
                if self._depth == 1:
                    self._root = elem
                continue
            self._depth -= 1
            if self._depth == 0:
                self.is_over = True
            elif self._depth == 1:
                yield elem
                self._root.clear()


class RawClient(Client):
    kind = "raw"

    def __init__(self, *args, source=None, context=None, **options):
        """source: the address to connect from. context: for TLS, shared."""
        super().__init__(*args, **options)
        self._source = source
        self._context = context
        self._reader = self._writer = None
        self._pieces = None
        self._pending = []
        self._reading = None

    @property
    def domain(self):
        return self.jid.partition("@")[2].partition("/")[0]

    # Step by step, for cases that stop half-way.

    async def open(self):
        self._reader, self._writer = await asyncio.open_connection(
            self.host, self.port, limit=2 ** 20,
            local_addr=(self._source, 0) if self._source else None)
        if self.tls == "direct":
            await self.start_tls()

    def write(self, data):
        self._writer.write(data.encode() if isinstance(data, str) else data)

    async def drain(self):
        await self._writer.drain()

    async def stream(self):
        """Opens a stream (again) and returns its features."""
        self._pieces = Pieces()
        self._pending = []
        self.write(HEADER % self.domain)
        return await self.piece()

    async def piece(self, seconds=30):
        """The next child of the stream."""
        while not self._pending:
            async with asyncio.timeout(PATIENCE * seconds):
                data = await self._reader.read(65536)
            if not data:
                raise Failed("%s: the other side closed" % self.label)
            try:
                self._pending += self._pieces.feed(data)
            except ET.ParseError as e:
                raise Failed("%s gets what is no XML: %s: %r"
                             % (self.label, e, data[:500])) from None
        return self._pending.pop(0)

    async def start_tls(self):
        context = self._context or ssl.create_default_context(cafile=self.ca)
        await self._writer.start_tls(context, server_hostname=self.domain)

    async def secure(self):
        """Stream, STARTTLS, handshake, stream; returns the features."""
        features = await self.stream()
        if self.tls == "starttls":
            self.write(STARTTLS)
            answer = await self.piece()
            if not answer.tag.endswith("}proceed"):
                raise Failed("%s: no TLS: %s" % (self.label, answer.tag))
            await self.start_tls()
            features = await self.stream()
        return features

    async def authenticate(self):
        """Returns the features of the stream that follows."""
        name = self.jid.partition("@")[0]
        word = base64.b64encode(
            b"\0%s\0%s" % (name.encode(), self.password.encode()))
        self.write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
                   "mechanism='PLAIN'>%s</auth>" % word.decode())
        answer = await self.piece()
        if not answer.tag.endswith("}success"):
            raise Failed("%s: login: %s" % (
                self.label, ET.tostring(answer, encoding="unicode")))
        return await self.stream()

    async def bind(self):
        wanted = self.jid.partition("/")[2]
        self.write("<iq type='set' id='bind'><bind xmlns="
                   "'urn:ietf:params:xml:ns:xmpp-bind'>%s</bind></iq>"
                   % ("<resource>%s</resource>" % wanted if wanted else ""))
        jid = (await self.piece()).findtext("%sbind/%sjid" % (BIND, BIND))
        if jid is None:
            raise Failed("%s: not bound" % self.label)
        return jid

    # As a whole.

    async def _connect(self):
        try:
            await self.open()
            await self.secure()
            await self.authenticate()
            jid = await self.bind()
        except (OSError, Failed, asyncio.TimeoutError) as e:
            self._over(str(e) or type(e).__name__)
            return
        self._bound(jid)
        for elem in self._pending:
            self._got(elem)
        self._reading = asyncio.ensure_future(self._read())

    def _got(self, elem):
        if elem.tag == STREAM + "error":
            self.ended = " ".join(
                re.sub("{.*}", "", e.tag) + (": " + e.text if e.text else "")
                for e in elem)
        elif elem.get("type") == "get" and elem.find(PING) is not None:
            # RFC 6120 8.2.3; the proxy takes it for an acknowledgement.
            self.write("<iq type='result' id='%s'/>" % elem.get("id"))
        else:
            self._took(elem)

    async def _read(self):
        try:
            while not self._pieces.is_over:
                data = await self._reader.read(65536)
                if not data:
                    break
                for elem in self._pieces.feed(data):
                    self._got(elem)
        except OSError as e:
            self._over(str(e))
        self._over("the other side closed")

    def pause(self):
        """Reads no more."""
        self._writer.transport.pause_reading()

    def resume(self):
        self._writer.transport.resume_reading()

    def send(self, xml):
        self.write(xml)

    async def close(self):
        if self._writer is None:
            return
        if self.is_up:
            self.write("</stream:stream>")
            await self.until(lambda: self.ended, 10,
                             "%s: the stream is closed" % self.label)
        self.cut()
        if self._reading:
            await asyncio.gather(self._reading, return_exceptions=True)

    def cut(self):
        self._writer.transport.abort()
