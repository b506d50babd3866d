"""What one case plays in: a server, a proxy, alice's clients, and bob.

In a direct world there is no proxy, and alice's clients are on the server like
bob: that proves the harness, and shows what a server alone does.
"""

import asyncio
import itertools
import os

from . import proxy
from .client import SlixmppClient
from .strophe import StropheClient
from .wait import Failed

PASSWORD = "correct horse"
# The proxy's own, so that one that let the server's pass would be seen.
PROXY_PASSWORD = "battery staple"
numbers = itertools.count(1)


class World:
    def __init__(self, server, authority, folder, strophe, direct=False):
        self.server = server
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

    @property
    def alice(self):
        """The account's bare JID."""
        return "%s@%s" % (self.alice_name, self.server.domain)

    @property
    def bob(self):
        return "%s@%s" % (self.bob_name, self.server.domain)

    @property
    def carol(self):
        return "%s@%s" % (self.carol_name, self.server.domain)

    @property
    def alice_in_node(self):
        return "%s@%s" % (self.alice_name, proxy.NODE)

    async def begin(self, limits=None, user=None, account=None, run=True,
                    store=False, knows_carol=False):
        """Accounts on the server, and the proxy, started where `run` says so.
        user: attributes in proxy.xml; account: what proxy.Account takes. store:
        on disk. knows_carol: she is alice's contact as well as bob."""
        friends = [self.carol_name] if knows_carol else []
        await self.server.add_user(self.alice_name, PASSWORD,
                                   [self.bob_name] + friends)
        await self.server.add_user(self.bob_name, PASSWORD, [self.alice_name])
        await self.server.add_user(self.carol_name, PASSWORD,
                                   [self.alice_name] if knows_carol else [])
        if self.direct:
            return
        options = {"jid": self.alice, "password": PASSWORD,
                   "port": self.server.port, "ca": self.server.ca,
                   **(account or {})}
        self.proxy = proxy.Proxy(
            os.path.join(self.folder, "proxy-" + self.alice_name),
            self.authority, [self.server.domain],
            [({"name": self.alice_name, "passwd": PROXY_PASSWORD,
               **(user or {})}, [proxy.Account(**options)])], limits,
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
               password=None, **options):
        """A client of alice that is to ask for this resource."""
        there = self.server if self.direct else self.proxy
        jid = self.alice_in_node if node and not self.direct else self.alice
        return self._make(
            kind, label, "%s/%s" % (jid, label),
            password or (PASSWORD if self.direct else PROXY_PASSWORD),
            there.host,
            there.direct_port if tls == "direct" else there.port, there.ca,
            tls=tls, **options)

    def on_server(self, name, label, kind=SlixmppClient, **options):
        """A client straight on the server."""
        return self._make(
            kind, label, "%s@%s/%s" % (name, self.server.domain, label),
            PASSWORD, self.server.host, self.server.port, self.server.ca,
            **options)

    async def _comes(self, name, label, **options):
        client = self.on_server(name, label, **options)
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
