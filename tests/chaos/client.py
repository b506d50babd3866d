"""A strict client with stream management (XEP-0198) that never gives up.

It counts exactly, resumes, and where it cannot, logs in anew and writes again
what was not acknowledged, with the same ids.
"""

import asyncio
import base64
import hashlib
import hmac
import random
import re
import secrets
import time
import xml.etree.ElementTree as ET
from collections import deque

from lib import stanza
from lib.raw import STREAM, RawClient
from lib.wait import PATIENCE, Failed

from tally import Seen

SM = "{urn:xmpp:sm:3}"
MAM = "{urn:xmpp:mam:2}"
STANZA_ID = "{urn:xmpp:sid:0}stanza-id"
STREAM_ERROR = STREAM + "error"
FEATURES = STREAM + "features"
ERRORS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
STANZAS = {stanza.CLIENT + n for n in ("message", "presence", "iq")}
ASK = "<r xmlns='urn:xmpp:sm:3'/>"
COUNTERS = 2 ** 32
LOGIN_SECONDS = 15
# A request for acknowledgement that is not answered by then: the link is dead.
DEAD_SECONDS = 1.5
ASK_AT_MOST = 24                # stanzas between two requests
BACKOFF = (0.02, 0.5)           # seconds before the next try
REFUSED_SECONDS = 0.3           # before the next message, after a refusal
# Of the archive. The server reads all of its file for each, which at the end of
# a long run takes it a second.
PAGE = 5000

QUERY = ("<iq type='set' id='%s'><query xmlns='urn:xmpp:mam:2'>"
         "<set xmlns='http://jabber.org/protocol/rsm'><max>%d</max>%s</set>"
         "</query></iq>")


class Hopeless(Failed):
    """Trying again would not help."""


class Unacknowledged:
    __slots__ = ("xml", "number")

    def __init__(self, xml, number=None):
        self.xml = xml
        self.number = number        # of a message; None: not to be repeated


class Client(RawClient):
    kind = "chaos"

    def __init__(self, *args, scene, writer, inbox, peer, seed, carbons=True,
                 archive=False, lie=0, **options):
        """peer: whom it writes to. archive: reads there what it missed.
        lie: added to the h it resumes with, to see that this is noticed."""
        super().__init__(*args, **options)
        self.scene = scene
        self.writer = writer
        self.inbox = inbox
        self.peer = peer
        self.rng = random.Random("%s %s" % (seed, self.label))
        self.carbons = carbons
        self.archive = archive
        self.lie = lie
        self.sm_id = None
        self.h = 0                          # stanzas received
        self.acked = 0                      # the other side's last h
        self.unacked = deque()
        self.waiting = []                   # for a new session
        self.counts = False                 # between <enabled/> and the end
        self.resumptions = self.failures = self.drops = 0
        self.asked_at = None
        self.until_ask = 1
        self.may_write_at = 0.0
        self.is_leaving = False
        self._catching = None               # messages kept while it reads
        self._page = None                   # (id of the IQ, its answer)
        self._last_id = None                # in the archive
        self._task = None
        self._watching = None

    # Connection.

    async def authenticate(self):
        """SCRAM-SHA-256 (RFC 7677) where there is no TLS."""
        if self.tls != "none":
            return await super().authenticate()
        first = "n=%s,r=%s" % (self.jid.partition("@")[0],
                               secrets.token_urlsafe(18))
        self.write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
                   "mechanism='SCRAM-SHA-256'>%s</auth>"
                   % base64.b64encode(b"n,," + first.encode()).decode())
        answer = await self.piece()
        if not answer.tag.endswith("}challenge"):
            raise Failed("%s: login: %s" % (self.label, stanza.text(answer)))
        challenge = base64.b64decode(answer.text).decode()
        given = dict(word.split("=", 1) for word in challenge.split(","))
        last = "c=biws,r=" + given["r"]
        signed = ",".join((first, challenge, last)).encode()

        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(),
                                     base64.b64decode(given["s"]),
                                     int(given["i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        stored = hashlib.sha256(key).digest()
        signature = hmac.digest(stored, signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature))
        self.write("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s"
                   "</response>" % base64.b64encode(
                       ("%s,p=%s" % (last, base64.b64encode(proof).decode()))
                       .encode()).decode())
        answer = await self.piece()
        if not answer.tag.endswith("}success"):
            raise Failed("%s: login: %s" % (self.label, stanza.text(answer)))
        return await self.stream()

    def start(self):
        self._task = asyncio.ensure_future(self._live())
        self._watching = asyncio.ensure_future(self._watch())

    async def _live(self):
        wait = BACKOFF[0]
        while not self.is_leaving:
            try:
                async with asyncio.timeout(PATIENCE * LOGIN_SECONDS):
                    await self._come_up()
                wait = BACKOFF[0]
                while True:
                    await self._pump()
            except Hopeless:
                raise
            except (OSError, EOFError, Failed, ET.ParseError,
                    asyncio.TimeoutError) as e:
                self._down(str(e) or type(e).__name__)
            await asyncio.sleep(wait * self.rng.uniform(0.5, 1))
            wait = min(2 * wait, BACKOFF[1])

    def _down(self, why):
        self.drops += self.is_up
        self.is_up = self.counts = False
        self.ended = why
        self.asked_at = None
        self._catching = None
        if self._writer is not None:
            self._writer.transport.abort()
        self.scene.bell.ring()

    async def _come_up(self):
        self._writer = None
        await self.open()
        await self.secure()
        features = await self.authenticate()
        if features.tag != FEATURES:
            raise Failed("%s gets no features" % self.label)
        if features.find(SM + "sm") is None:
            raise Hopeless("%s is offered no stream management" % self.label)
        if not (self.sm_id and await self._resume()):
            await self._begin()
        self.is_up = True
        self.ended = None
        self.scene.bell.ring()

    async def _resume(self):
        h = (self.h + self.lie) % COUNTERS
        self.write("<resume xmlns='urn:xmpp:sm:3' previd='%s' h='%d'/>"
                   % (self.sm_id, h))
        answer = await self.piece()
        h = answer.get("h")
        if answer.tag == SM + "resumed":
            self._acknowledged(int(h))
            self.counts = True
            self.resumptions += 1
            self._repeat(self.unacked)
            self._handle_pending()
            return True
        if answer.tag != SM + "failed":
            raise Failed("%s: <resume/> is answered by %s"
                         % (self.label, answer.tag))
        self.failures += 1
        self.sm_id = None
        if h is not None:
            self._acknowledged(int(h))
        else:
            self.writer.unsure.update(u.number for u in self.unacked
                                      if u.number is not None)
        return False

    async def _begin(self):
        """A new session; what was not acknowledged is written again."""
        wanted = self.jid.partition("/")[2]
        bound = await self.bind()
        if bound.partition("/")[2] != wanted:
            raise Failed("%s is bound as %s" % (self.label, bound))
        self.logins += 1
        self.write("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        while (answer := await self.piece()).tag in STANZAS:
            self._stanza(answer)
        if answer.tag != SM + "enabled" or not answer.get("id"):
            raise Failed("%s: <enable/> is answered by %s"
                         % (self.label, stanza.text(answer)))
        self.h = self.acked = 0
        self.waiting.extend(u for u in self.unacked if u.number is not None)
        self.unacked.clear()
        self.counts = True
        self._handle_pending()
        if self.carbons:
            self._out("<iq type='set' id='carbons'>"
                      "<enable xmlns='urn:xmpp:carbons:2'/></iq>")
        if self.archive:
            self._catching = []
            await self._catch_up()
        self._out("<presence/>")
        if self.archive:
            await self._catch_up()
            kept, self._catching = self._catching, None
            for elem in kept:
                self._message(elem)
        # Only now: a session that is not set up wholly is not resumed.
        self.sm_id = answer.get("id")
        old, self.waiting = self.waiting, []
        self.unacked.extend(old)
        self._repeat(old)
        self._ask()

    def _repeat(self, those):
        for one in those:
            if one.number is not None:
                self.writer.rewritten[one.number] += 1
        if those:
            self.write("".join(one.xml for one in those))
            self._ask()

    # In.

    async def _pump(self):
        data = await self._reader.read(65536)
        if not data:
            raise EOFError("the other side closed")
        for elem in self._pieces.feed(data):
            self._got(elem)
        if self._pieces.is_over:
            raise EOFError("the other side closed the stream")
        self.scene.bell.ring()

    def _handle_pending(self):
        pending, self._pending = self._pending, []
        for elem in pending:
            self._got(elem)

    def _got(self, elem):
        if elem.tag in STANZAS:
            self.h += self.counts
            self._stanza(elem)
        elif elem.tag == SM + "r":
            self.write("<a xmlns='urn:xmpp:sm:3' h='%d'/>"
                       % (self.h % COUNTERS))
        elif elem.tag == SM + "a":
            self.asked_at = None
            self._acknowledged(int(elem.get("h")))
        elif elem.tag == STREAM_ERROR:
            raise Failed("stream error: " + " ".join(
                re.sub("{.*}", "", e.tag) for e in elem))

    def _acknowledged(self, h):
        new = (h - self.acked) % COUNTERS
        if new > len(self.unacked):
            self.scene.tally.odd.append(
                "%s is told h=%d: before it was %d, and %d stanzas are open"
                % (self.label, h, self.acked, len(self.unacked)))
            raise Failed("a wrong h")
        for _ in range(new):
            self.unacked.popleft()
        self.acked = h

    def _stanza(self, elem):
        if elem.tag == stanza.CLIENT + "message":
            if elem.get("type") == "error":
                self._error(elem)
            elif elem.find(MAM + "result") is not None:
                self._archived(elem.find(MAM + "result"))
            elif self._catching is not None:
                self._catching.append(elem)
            else:
                self._message(elem)
        elif elem.tag == stanza.CLIENT + "iq":
            if self._page and elem.get("id") == self._page[0]:
                self._page = (None, elem)
            elif elem.get("type") == "get":
                self._out("<iq type='error' id='%s'%s><error type='cancel'>"
                          "<service-unavailable xmlns="
                          "'urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
                          "</iq>" % (elem.get("id"), (
                              " to='%s'" % elem.get("from")
                              if elem.get("from") else "")))
            elif elem.get("type") == "set":
                self._out("<iq type='result' id='%s'/>" % elem.get("id"))

    def _message(self, elem):
        form = "plain"
        for copy in "sent", "received":
            inner = elem.find("%s%s/%sforwarded/%smessage" % (
                stanza.CARBONS, copy, stanza.FORWARD, stanza.CLIENT))
            if inner is not None:
                form = copy
                break
        else:
            inner = elem
        self._record(inner, form)

    def _stanza_id(self, inner):
        for elem in inner.iter(STANZA_ID):
            if elem.get("by") == self.bare:
                return elem.get("id")
        return None

    def _record(self, inner, form, archive_id=None):
        body = inner.findtext(stanza.CLIENT + "body")
        if body is None:
            return
        if body.startswith(stanza.NOTE):
            form, body = "note", body[len(stanza.NOTE):]
        name = body.partition(" ")[0]
        writer, _, number = name.rpartition("-")
        if not number.isdigit() or writer not in self.scene.tally.writers:
            self.scene.tally.odd.append("%s got %r" % (self.label, body[:80]))
            return
        if form != "note" and inner.get("id") != name:
            self.scene.tally.odd.append("%s got %s with the id %s" % (
                self.label, name, inner.get("id")))
        found = archive_id or self._stanza_id(inner) if self.archive else None
        if found and not archive_id:
            self._last_id = found
        if archive_id and writer == self.writer.name:
            return                          # its own
        self.inbox.take(writer, int(number), form, Seen(
            self.logins, archive_id is not None, found))

    def _error(self, elem):
        """An own message was not taken, or did not arrive."""
        writer, _, number = (elem.get("id") or "").rpartition("-")
        if writer != self.writer.name or not number.isdigit():
            return
        if elem.find("%serror/%sresource-constraint"
                     % (stanza.CLIENT, ERRORS)) is not None:
            self.writer.refused.add(int(number))
            self.may_write_at = time.monotonic() + REFUSED_SECONDS
        else:
            self.writer.bounced.add(int(number))

    # The archive.

    async def _catch_up(self):
        """Everything after the last message that is known."""
        is_complete = False
        while not is_complete:
            self._page = ("archive-%d" % self.rng.getrandbits(32), None)
            self._out(QUERY % (self._page[0], PAGE,
                               "<after>%s</after>" % self._last_id
                               if self._last_id else ""))
            while self._page[1] is None:
                await self._pump()
            fin = self._page[1].find(MAM + "fin")
            self._page = None
            if fin is None:
                raise Failed("%s cannot read its archive" % self.label)
            is_complete = fin.get("complete") == "true"

    def _archived(self, result):
        inner = result.find("%sforwarded/%smessage" % (stanza.FORWARD,
                                                       stanza.CLIENT))
        self._last_id = result.get("id")
        self._record(inner, "archived", result.get("id"))

    # Out.

    def _out(self, xml, number=None):
        self.unacked.append(Unacknowledged(xml, number))
        self.write(xml)

    def _ask(self):
        if self.asked_at is None:
            self.asked_at = time.monotonic()
            self.write(ASK)

    def say(self, count):
        """That many messages; a message is sent when it is written first."""
        words = []
        for _ in range(count):
            self.writer.count += 1
            number = self.writer.count
            name = "%s-%d" % (self.writer.name, number)
            xml = ("<message to='%s' id='%s' type='chat'><body>%s %s</body>"
                   "</message>" % (self.peer, name, name,
                                   "x" * self.rng.randrange(200)))
            self.unacked.append(Unacknowledged(xml, number))
            words.append(xml)
        self.write("".join(words))
        self.until_ask -= count
        if self.until_ask <= 0:
            self.until_ask = self.rng.randrange(1, ASK_AT_MOST)
            self._ask()

    async def _watch(self):
        """Asks when nothing is heard, and cuts what does not answer."""
        while not self.is_leaving:
            await asyncio.sleep(0.2)
            if not self.is_up:
                continue
            now = time.monotonic()
            if self.asked_at is None:
                self._ask()
            elif now - self.asked_at > PATIENCE * DEAD_SECONDS:
                self.cut()

    def state(self):
        return "%s: %s, %d unacknowledged, login %d, %d resumed, %d failed" % (
            self.label, "up" if self.is_up else "down (%s)" % self.ended,
            len(self.unacked) + len(self.waiting), self.logins, self.resumptions, self.failures)

    def crashed(self):
        """What ended its task, if anything did."""
        for task in self._task, self._watching:
            if task is not None and task.done() and not task.cancelled():
                return task.exception()
        return None

    async def leave(self):
        self.is_leaving = True
        for task in self._task, self._watching:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(t for t in (self._task, self._watching) if t),
                             return_exceptions=True)
        if self._writer is not None:
            self._writer.transport.abort()
