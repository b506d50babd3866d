"""What all clients of the tests have in common; and the one on slixmpp."""

import asyncio
import itertools
import logging
import ssl
import xml.etree.ElementTree as ET

logging.getLogger("slixmpp").setLevel(logging.CRITICAL + 1)     # it warns
import slixmpp  # noqa: E402

from . import stanza
from .wait import Bell, Failed

LOGIN_SECONDS = 30
ids = itertools.count(1)
logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)


def new_id(word="id"):
    return "%s-%d" % (word, next(ids))


class Client:
    """Records each stanza that comes. `kind` names the library."""

    kind = None

    def __init__(self, label, jid, password, host, port, ca, tls="starttls"):
        self.label = label
        self.jid = jid              # the full one once it is bound
        self.password = password
        self.host, self.port, self.ca, self.tls = host, port, ca, tls
        self.has_carbons = False
        self.is_up = False
        self.ended = None           # why, once the stream is over
        self.logins = 0
        self.resumptions = 0        # of its stream (XEP-0198)
        self.stanzas = []
        self.deliveries = []
        self._answers = {}          # id of an IQ: its answers
        self.bell = Bell()

    @property
    def bare(self):
        return stanza.bare(self.jid)

    # For the libraries below.

    def _bound(self, jid):
        self.jid = jid
        self.is_up = True
        self.ended = None
        self.logins += 1
        self.bell.ring()

    def _resumed(self):
        self.is_up = True
        self.ended = None
        self.resumptions += 1
        self.bell.ring()

    def _over(self, why):
        self.is_up = False
        self.ended = self.ended or why or "closed"
        self.bell.ring()

    def _took(self, elem):
        self.stanzas.append(elem)
        found = stanza.delivery(elem)
        if found is not None:
            self.deliveries.append(found)
        elif elem.tag == stanza.CLIENT + "iq" and \
                elem.get("type") in ("result", "error"):
            self._answers.setdefault(elem.get("id"), []).append(elem)
        self.bell.ring()

    # For the cases.

    async def login(self, seconds=LOGIN_SECONDS):
        """Fails where the stream ends before it is bound."""
        before = self.logins
        self.ended = None
        await self._connect()
        await self.until(lambda: self.logins > before or self.ended, seconds,
                         "%s is logged in" % self.label)
        if self.ended:
            raise Failed("%s: no login: %s" % (self.label, self.ended))

    async def resume(self, seconds=LOGIN_SECONDS):
        """Connects again, and fails where the stream does not go on. Only for
        clients that manage their streams."""
        before = self.resumptions, self.logins
        self.ended = None
        await self._connect_again()
        await self.until(
            lambda: (self.resumptions, self.logins) != before or self.ended,
            seconds, "%s is back" % self.label)
        if self.resumptions == before[0]:
            raise Failed("%s: no resumption: %s"
                         % (self.label, self.ended or "a new login"))

    async def login_fails(self):
        """Fails where the login does not."""
        try:
            await self.login()
        except Failed:
            if not self.logins:
                return
        raise Failed("%s logs in" % self.label)

    async def until(self, ready, seconds, what):
        return await self.bell.until(ready, seconds, what)

    async def until_bodies(self, count, seconds):
        """Until `count` messages with a body came."""
        await self.until(
            lambda: len(self.deliveries) >= count, seconds,
            lambda: "%s: %d of %d messages; the last is %r"
            % (self.label, len(self.deliveries), count, self.deliveries[-1:]))

    async def until_body(self, body, seconds=20):
        """Until that one came, which is returned. Looks at new ones only."""
        at = 0

        def look():
            nonlocal at
            for found in self.deliveries[at:]:
                at += 1
                if found.body == body:
                    return found
            return None
        return await self.until(look, seconds, "%s gets %r"
                                % (self.label, body))

    async def until_presence(self, test, seconds=20, what="presence", since=0):
        """The first presence after `since` stanzas that test() likes."""
        def look():
            for elem in self.stanzas[since:]:
                if elem.tag == stanza.CLIENT + "presence" and test(elem):
                    return [elem]       # a bare element without children
            return None                 # would count as false
        return (await self.until(look, seconds, "%s gets %s"
                                 % (self.label, what)))[0]

    def answers(self, id):
        return self._answers.get(id, [])

    def ask(self, kind, payload, to=None, id=None):
        """Sends an IQ and returns its id."""
        id = id or new_id("iq")
        self.send(stanza.tag("iq", {"type": kind, "id": id, "to": to},
                             payload))
        return id

    async def iq(self, kind, payload, to=None, id=None, seconds=40):
        """Sends an IQ and returns the answer, of whatever type."""
        id = self.ask(kind, payload, to, id)
        await self.until(lambda: self.answers(id), seconds,
                         "%s: answer to %s %s" % (self.label, kind, payload))
        return self.answers(id)[0]

    async def fetch_roster(self):
        """{jid: item}"""
        answer = await self.iq("get", "<query xmlns='jabber:iq:roster'/>")
        if answer.get("type") != "result":
            raise Failed("%s: no roster: %s"
                         % (self.label, stanza.text(answer)))
        return {item.get("jid"): item
                for item in answer.iter(stanza.ROSTER + "item")}

    async def enable_carbons(self):
        answer = await self.iq("set", "<enable xmlns='urn:xmpp:carbons:2'/>")
        if answer.get("type") != "result":
            raise Failed("%s: no carbons: %s"
                         % (self.label, stanza.text(answer)))
        self.has_carbons = True

    async def come(self, carbons=False, show=None, priority=None):
        """What a client does after login: roster, carbons, presence; waits
        until its own presence came back."""
        roster = await self.fetch_roster()
        if carbons:
            await self.enable_carbons()
        since = len(self.stanzas)
        self.send(stanza.presence(show=show, priority=priority))
        await self.until_presence(lambda p: p.get("from") == self.jid,
                                  what="its own presence", since=since)
        return roster

    async def barrier(self, contact=None):
        """Until what was sent so far was dealt with by the other side, and by
        a contact where one is given: the bare JID, seen available."""
        to = self.jid.partition("@")[2].partition("/")[0]
        if contact is not None:
            to = [e for e in self.stanzas if stanza.is_presence(e)
                  and stanza.availability(e)[0]
                  and stanza.bare(e.get("from")) == contact][-1].get("from")
        await self.iq("get", "<ping xmlns='urn:xmpp:ping'/>", to=to)

    def say(self, to, body, id=None, extra=""):
        id = id or new_id("m")
        self.send(stanza.message(to, body, id, extra=extra))
        return id

    # What each library does in its way.

    async def _connect(self):
        raise NotImplementedError

    async def _connect_again(self):
        raise NotImplementedError

    def send(self, xml):
        raise NotImplementedError

    async def close(self):
        """Closes the stream as XMPP wants it."""
        raise NotImplementedError

    def cut(self):
        """Cuts the connection without a word."""
        raise NotImplementedError


class _Slixmpp(slixmpp.ClientXMPP):
    """Gives each stanza to a Client too."""

    def __init__(self, owner, **options):
        super().__init__(owner.jid, owner.password, **options)
        self.owner = owner
        self.whitespace_keepalive = False
        self._rest = b""

    def init_parser(self):
        super().init_parser()
        self._rest = b""

    def data_received(self, data):
        # Debian's expat does not report a tag that comes in two pieces before
        # the next one; so it gets whole tags only.
        data = self._rest + data
        cut = data.rfind(b">") + 1
        self._rest = data[cut:]
        if cut:
            super().data_received(data[:cut])

    def _spawn_event(self, xml):
        if xml.tag.startswith(stanza.CLIENT):
            self.owner._took(xml)
        super()._spawn_event(xml)


class SlixmppClient(Client):
    kind = "slixmpp"

    def __init__(self, *args, mechanism=None, max_tls=None, binds=True,
                 plugins=(), **options):
        """binds: whether it says that it knows channel binding. plugins: of
        slixmpp, further ones."""
        super().__init__(*args, **options)
        self._plugins = plugins
        self._binds = binds
        self._mechanism = mechanism
        self._max_tls = max_tls
        self.xmpp = None

    async def _connect(self):
        xmpp = self.xmpp = _Slixmpp(self, sasl_mech=self._mechanism)
        xmpp.ca_certs = self.ca
        if self._max_tls:
            xmpp.ssl_context.maximum_version = self._max_tls
        xmpp.roster.auto_authorize = None
        xmpp.roster.auto_subscribe = False

        for plugin in "xep_0030", "xep_0092", "xep_0199", *self._plugins:
            xmpp.register_plugin(plugin)
        if not self._binds:
            mechanisms = xmpp["feature_mechanisms"]
            known = mechanisms.sasl_callback
            mechanisms.sasl_callback = lambda required, optional: dict(
                known(required, optional), channel_binding=b"")

        def on(event, call):
            xmpp.add_event_handler(event, call)
        on("session_start", lambda _: self._bound(xmpp.boundjid.full))
        on("sm_enabled", lambda _: self.bell.ring())
        on("session_resumed", lambda _: self._resumed())
        on("failed_all_auth", lambda _: self._over("not authorized"))
        on("connection_failed", lambda e: self._over("no connection: %s" % e))
        on("stream_error", lambda e: self._over(
            "%s: %s" % (e["condition"], e["text"])))
        on("ssl_invalid_chain", lambda e: self._over("certificate: %s" % e))
        on("disconnected", self._disconnected)
        await self._connect_again()

    async def _connect_again(self):
        is_direct = self.tls == "direct"
        self.xmpp.connect((self.host, self.port), use_ssl=is_direct,
                          force_starttls=not is_direct,
                          disable_starttls=is_direct)

    def _disconnected(self, reason):
        self.xmpp.cancel_connection_attempt()
        self._over(str(reason or "disconnected"))

    @property
    def mechanism(self):
        """The one that the login took."""
        return self.xmpp["feature_mechanisms"].mech.name

    @property
    def tls_version(self):
        return self.xmpp.socket.version()

    def send(self, xml):
        if "xep_0198" not in self._plugins:
            self.xmpp.send_raw(xml)
            return
        # What it sends as text it does not count.
        elem = ET.fromstring("<x xmlns='jabber:client'>%s</x>" % xml)[0]
        self.xmpp.send(self.xmpp._build_stanza(elem))

    async def close(self):
        if self.xmpp is None:
            return
        self.xmpp.cancel_connection_attempt()
        if self.xmpp.transport is not None:
            if "xep_0198" in self._plugins and \
                    self.xmpp["xep_0198"].enabled_in:
                # As XEP-0198 4 recommends; slixmpp does not.
                self.xmpp["xep_0198"].send_ack()
            await self.xmpp.disconnect(wait=5)
        if self.xmpp._run_out_filters is not None:
            self.xmpp._run_out_filters.cancel()
            await asyncio.gather(self.xmpp._run_out_filters,
                                 return_exceptions=True)

    def cut(self):
        self.xmpp.transport.abort()


TLS_1_2 = ssl.TLSVersion.TLSv1_2
