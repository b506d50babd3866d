"""Who takes part: Prosody, the proxy, the relays between, alice's clients and
bob."""

import asyncio
import os
import random
import ssl
import traceback

from lib import net, proxy
from lib.pki import Authority
from lib.prosody import Prosody
from lib.wait import Bell, Failed

from client import Client
from disk import Disk
from relay import Relay
from tally import Tally

HERE = os.path.dirname(os.path.abspath(__file__))
DOMAIN = "chaos.test"
ALICE, BOB = "alice@" + DOMAIN, "bob@" + DOMAIN
PASSWORD = "correct horse"
PROXY_PASSWORD = "battery staple"
# label, in node view, how it connects to the proxy, carbons
DEVICES = (("desk", False, "direct", True), ("phone", False, "none", True),
           ("term", True, "none", True), ("old", True, "none", False))
# Ports that no connection is given as its own (Linux begins at 32768): they
# are free again after each restart.
PORTS = range(12000, 30000)
EXIT_TEMPFAIL = 75
# Its archive and its resumption counters outlive a restart. The archive is
# in files, since with SQLite it waits for the disk after each message.
PROSODY = """\
plugin_paths = {{ "{here}/prosody" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
smacks_hibernation_time = 3600
smacks_max_queue_size = 1000000
smacks_max_old_sessions = 1000
max_archive_query_results = 5000
mam_include_total = false
archive_expires_after = "never"
storage_archive_item_limit = 1000000000
"""


class Scene:
    def __init__(self, opts, folder):
        self.opts = opts
        self.folder = folder
        self.bell = Bell()
        self.tally = Tally()
        self.rng = random.Random("%s scene" % opts.seed)
        ports = random.SystemRandom().sample(PORTS, 6 + len(DEVICES))
        authority = Authority(os.path.join(folder, "ca"))
        self.server = Prosody(
            os.path.join(folder, "prosody"), authority, DOMAIN, ports=ports[:2],
            modules="" if opts.as_it_is else "resumed_parser",
            extra=PROSODY.format(here=HERE))
        self.disk = Disk(os.path.join(folder, "disk"), opts.messages,
                         opts.full_disks > 0)
        self.proxy = None
        self.relays = {}
        self.upstream = None
        if not opts.direct:
            self.upstream = Relay(ports[5], self.server.port)
            self.proxy = proxy.Proxy(
                os.path.join(folder, "proxy"), authority, [DOMAIN],
                [({"name": "alice", "passwd": PROXY_PASSWORD},
                  [proxy.Account(ALICE, PASSWORD, self.upstream.port,
                                 authority.ca)])],
                {"read_rate": 2 ** 30, "read_burst": 2 ** 30,
                 "outbox_entries": 1000000}, ports[2:5],
                os.path.join(self.disk.folder, "xmpproxy.db"))
        self.context = ssl.create_default_context(cafile=authority.ca)
        self.devices = [self._device(port, *device) for port, device in
                        zip(ports[6:], DEVICES[:opts.devices])]
        self.bob = self._client("bob", BOB + "/bob", PASSWORD,
                                self.server.port, "none", ALICE, archive=True)
        self.clients = [*self.devices, self.bob]
        self._expect()
        self.killing = False
        self.proxy_ends = 0         # of its own will, with EXIT_TEMPFAIL

    def _client(self, label, jid, password, port, tls, peer, **options):
        return Client(label, jid, password, net.HOST, port, self.server.ca,
                      tls=tls, context=self.context, scene=self,
                      writer=self.tally.add_writer(label), inbox=None,
                      peer=peer, seed=self.opts.seed, **options)

    def _device(self, port, label, is_node, tls, carbons):
        if self.opts.direct:
            target, password, is_node, tls = \
                self.server.port, PASSWORD, False, "none"
        else:
            password = PROXY_PASSWORD
            target = self.proxy.direct_port if tls == "direct" \
                else self.proxy.plain_port
        self.relays[label] = Relay(port, target)
        domain = proxy.NODE if is_node else DOMAIN
        return self._client(
            label, "alice@%s/%s" % (domain, label), password, port, tls, BOB,
            carbons=carbons, lie=self.opts.lie if label == "desk" else 0,
            archive=self.opts.direct and self.opts.server_restarts > 0)

    def _expect(self):
        """bob gets what the devices write, a device what bob and its siblings
        write."""
        names = [d.label for d in self.devices]
        self.bob.inbox = self.tally.add_inbox(
            "bob", {name: ("plain",) for name in names})
        for device in self.devices:
            sent = ("sent",) if device.carbons else ("note",)
            device.inbox = self.tally.add_inbox(
                device.label, {"bob": ("plain", "received"),
                               **{name: sent for name in names
                                  if name != device.label}})

    async def start(self):
        await self.server.add_user("alice", PASSWORD, ["bob"])
        await self.server.add_user("bob", PASSWORD, ["alice"])
        await self.server.start()
        for relay in self.relays.values():
            await relay.start()
        if self.proxy:
            await self.upstream.start()
            await self.proxy.start()
        for client in self.clients:
            client.start()
        # Acknowledged: presence and carbons have taken effect.
        await self.until(lambda: all(c.is_up and not c.unacked
                                     for c in self.clients), 60,
                         "everybody is there")

    async def until(self, ready, seconds, what):
        """As Bell.until(), but ends when a client or the proxy has died."""
        def look():
            self.check()
            return ready()
        await self.bell.until(look, seconds, lambda: "%s\n%s" % (
            what, self.state()))

    def check(self):
        for client in self.clients:
            error = client.crashed()
            if isinstance(error, Failed):
                raise Failed(str(error))
            if error is not None:
                raise Failed("".join(traceback.format_exception(error)))

    def state(self):
        return "\n".join(c.state() for c in self.clients)

    # The proxy.

    async def kill_proxy(self, seconds):
        """SIGKILL; starts it again after that time."""
        self.killing = True
        try:
            await self.proxy.process.kill()
            await asyncio.sleep(seconds)
            await self.start_proxy()
        finally:
            self.killing = False

    async def start_proxy(self):
        """It may end at once, as long as the disk is full."""
        while True:
            try:
                await self.proxy.start()
                return
            except Failed:
                if self.proxy.process.status != EXIT_TEMPFAIL:
                    raise
                self.proxy_ends += 1
                await asyncio.sleep(0.2)

    async def keep_proxy(self):
        """What a supervisor does: it ended by itself, start it again. Any
        other status than the one for "try later" is a fault."""
        while True:
            await asyncio.sleep(0.1)
            if self.killing or self.proxy.process.is_running():
                continue
            status = self.proxy.process.status
            if status != EXIT_TEMPFAIL:
                self.tally.odd.append("the proxy died with %s" % status)
            self.proxy_ends += 1
            self.killing = True
            try:
                await self.start_proxy()
            finally:
                self.killing = False

    async def restart_server(self, seconds, hard):
        if hard:
            await self.server.process.kill()
        else:
            await self.server.stop()
        await asyncio.sleep(seconds)
        await self.server.start()

    async def end(self):
        """Throws where the proxy does not end well."""
        await asyncio.gather(*(c.leave() for c in self.clients))
        for relay in (*self.relays.values(), self.upstream):
            if relay is not None:
                relay.stop()
        try:
            if self.proxy and self.proxy.process.is_running():
                await self.proxy.stop()
        finally:
            await self.server.stop()
