"""What one case plays in: a server, a proxy, alice's clients, and bob.

In a direct world there is no proxy, and alice's clients are on the server like
bob: that proves the harness, and shows what a server alone does.

Where there are several servers, none of which reaches another, alice has an
account on each, and so has bob. `server` is the first; who is asked for by a
name alone is there.
"""

import asyncio
import itertools
import os

from . import proxy
from .client import SlixmppClient
from .profanity import Profanity
from .strophe import StropheClient
from .wait import Failed

PASSWORD = "correct horse"
# The proxy's own, so that one that let the server's pass would be seen.
PROXY_PASSWORD = "battery staple"
numbers = itertools.count(1)


class World:
    def __init__(self, servers, authority, folder, strophe, direct=False):
        self.servers = servers
        self.server = servers[0]
        self.authority = authority
        self.folder = folder
        self.direct = direct
        self.proxy = None
        self._strophe = strophe
        self._clients = []
        number = next(numbers)
        self.alice_name = "alice%d" % number
        self.bob_name = "bob%d" % number
        self.carol_name = "carol%d" % number
        self.work_name = "work%d" % number

    def at(self, name, server=None):
        """A bare JID."""
        return "%s@%s" % (name, (server or self.server).domain)

    @property
    def alice(self):
        """The account's bare JID."""
        return self.at(self.alice_name)

    @property
    def bob(self):
        return self.at(self.bob_name)

    @property
    def carol(self):
        return self.at(self.carol_name)

    @property
    def work(self):
        """The second account on the same server."""
        return self.at(self.work_name)

    @property
    def alice_in_node(self):
        return "%s@%s" % (self.alice_name, proxy.NODE)

    async def _people(self, server, knows_carol, has_work, strangers):
        own = [self.alice_name] + has_work * [self.work_name]
        for name in own:
            await server.add_user(
                name, PASSWORD, [self.bob_name, *strangers] +
                knows_carol * [self.carol_name])
        await server.add_user(self.bob_name, PASSWORD, own)
        await server.add_user(self.carol_name, PASSWORD, knows_carol * own)

    def _account(self, name, server, options):
        return proxy.Account(**{
            "jid": self.at(name, server), "password": PASSWORD,
            "port": server.port, "ca": server.ca, **options})

    async def begin(self, limits=None, user=None, account=None, run=True,
                    store=False, knows_carol=False, has_work=False,
                    shares_carol=False):
        """Accounts on the servers, and the proxy, started where `run` says so.
        user: attributes in proxy.xml; account: what proxy.Account takes. store:
        on disk. knows_carol: she is alice's contact as well as bob. has_work:
        alice has a second account on the server, with the same contacts.
        shares_carol: the first account has the second server's carol in its
        roster, too, and does not reach her."""
        strangers = [self.at(self.carol_name, self.servers[1])] \
            if shares_carol else []
        for server in self.servers:
            await self._people(server, knows_carol, has_work,
                               strangers if server is self.server else [])
        if self.direct:
            return
        names = [self.alice_name] + has_work * [self.work_name]
        self.proxy = proxy.Proxy(
            os.path.join(self.folder, "proxy-" + self.alice_name),
            self.authority, [s.domain for s in self.servers],
            [({"name": self.alice_name, "passwd": PROXY_PASSWORD,
               **(user or {})},
              [self._account(name, server, account or {})
               for server in self.servers for name in names])], limits,
            **({"store": "xmpproxy.db"} if store else {}))
        if run:
            await self.proxy.start()

    async def end(self):
        """Throws the last of what went wrong, having tried all."""
        wrong = None
        closing = [client.close() for client in self._clients]
        if self.proxy:
            closing.append(self.proxy.stop())
        for close in closing:
            try:
                await close
            except Failed as e:
                wrong = e
        if wrong:
            raise wrong

    def _make(self, kind, *args, **options):
        args = (self._strophe, *args) if kind is StropheClient else args
        client = kind(*args, **options)
        self._clients.append(client)
        return client

    def alices(self, label, kind=SlixmppClient, node=False, tls="starttls",
               password=None, account=None, **options):
        """A client of alice that is to ask for this resource. account: the
        bare JID, where it is not the first."""
        there = self.server if self.direct else self.proxy
        jid = self.alice_in_node if node and not self.direct else \
            account or self.alice
        return self._make(
            kind, label, "%s/%s" % (jid, label),
            password or (PASSWORD if self.direct else PROXY_PASSWORD),
            there.host,
            there.direct_port if tls == "direct" else there.port, there.ca,
            tls=tls, **options)

    def profanity(self, label, name=None):
        """A Profanity of alice, in account view, or of somebody straight on
        the server."""
        there = self.server if name or self.direct else self.proxy
        client = Profanity(
            label, self.at(name or self.alice_name),
            PASSWORD if there is self.server else PROXY_PASSWORD, there.host,
            there.port, self.authority.as_folder(),
            os.path.join(self.folder, "profanity-" + self.alice_name))
        self._clients.append(client)
        return client

    def on_server(self, name, label, kind=SlixmppClient, server=None,
                  **options):
        """A client straight on the server."""
        server = server or self.server
        return self._make(
            kind, label, "%s/%s" % (self.at(name, server), label), PASSWORD,
            server.host, server.port, server.ca, **options)

    async def _comes(self, name, label, server=None, **options):
        if server:
            label += "-" + server.domain.partition(".")[0]
        client = self.on_server(name, label, server=server, **options)
        await client.login()
        await client.come()
        return client

    async def bob_comes(self, **options):
        return await self._comes(self.bob_name, "bob", **options)

    async def carol_comes(self, **options):
        return await self._comes(self.carol_name, "carol", **options)

    async def three(self, node=False):
        """The three clients of the cases: two on slixmpp with carbons, one on
        libstrophe without; all available."""
        clients = [self.alices("desk", node=node),
                   self.alices("phone", node=node),
                   self.alices("term", StropheClient, node=node)]
        await asyncio.gather(*(c.login() for c in clients))
        has_carbons = self.server.has_carbons or not self.direct
        await asyncio.gather(*(
            c.come(carbons=has_carbons and c.kind == "slixmpp")
            for c in clients))
        return clients
