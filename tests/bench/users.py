#!/usr/bin/python3
"""What a user costs: many of them on a real Prosody, each with a roster, a log
and one device, which is awake first and then asleep. Memory is VmRSS. The last
line is the verdict on all of it, and the exit status says the same.
"""

import argparse
import asyncio
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "interop"))
from lib import proxy, stanza  # noqa: E402
from lib.pki import Authority  # noqa: E402
from lib.process import Process  # noqa: E402
from lib.prosody import Prosody  # noqa: E402
from lib.raw import RawClient  # noqa: E402
from lib.wait import Failed, poll  # noqa: E402

DOMAIN = "users.test"
PASSWORD = "secret of the account"
PROXY_PASSWORD = "secret of the proxy"
SENDER = "sender"
GOAL = 100e6            # bytes, for so many users with a thousand entries:
GOAL_USERS = 1000
LOGINS_AT_ONCE = 100
# The proxy gives free pages back every ten seconds.
SETTLED = 22            # seconds without a change of more than:
NOISE = 64              # KiB
FILL = os.path.join(proxy.ROOT, "build/release/tests/bench/fill_store")


def options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--contacts", type=int, default=20)
    parser.add_argument("--entries", type=int, default=1000, help="of each")
    parser.add_argument("--hold", action="store_true",
                        help="when all is measured wait until interrupted")
    return parser.parse_args()


SM = "urn:xmpp:sm:3"


class Device(RawClient):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.handled = 0

    def _took(self, elem):
        if elem.tag == "{%s}r" % SM:
            self.send("<a xmlns='%s' h='%d'/>" % (SM, self.handled))
        elif elem.tag.startswith(stanza.CLIENT):
            self.handled += 1
        super()._took(elem)

    async def come(self, **options):
        """As a phone does: stream management, roster, presence."""
        self.send("<enable xmlns='%s' resume='true'/>" % SM)
        return await super().come(**options)


class Bench:
    def __init__(self, opts, folder):
        self.opts = opts
        self.authority = Authority(os.path.join(folder, "ca"))
        self.context = ssl.create_default_context(cafile=self.authority.ca)
        self.server = Prosody(os.path.join(folder, "prosody"), self.authority,
                              DOMAIN)
        self.names = ["user%d" % i for i in range(opts.users)]
        self.store = os.path.join(folder, "store.db")
        self.proxy = proxy.Proxy(
            os.path.join(folder, "proxy"), self.authority, [DOMAIN],
            [({"name": name, "passwd": PROXY_PASSWORD},
              [proxy.Account("%s@%s" % (name, DOMAIN), PASSWORD,
                             self.server.port, self.server.ca)])
             for name in self.names],
            {"connections_per_address": 100000, "resume_seconds": 604800},
            store=self.store)
        self.devices = []
        self.rows = {}

    def contacts(self, at):
        """Its neighbours in a ring."""
        half = self.opts.contacts // 2
        return [self.names[(at + step) % len(self.names)]
                for step in range(-half, half + 1) if step]

    def client(self, kind, name, resource):
        return kind(name, "%s@%s/%s" % (name, DOMAIN, resource),
                    PROXY_PASSWORD, self.proxy.host, self.proxy.port,
                    self.authority.ca, context=self.context)

    async def each(self, work):
        """work(name) for all, some at a time."""
        gate = asyncio.Semaphore(LOGINS_AT_ONCE)

        async def one(name):
            async with gate:
                return await work(name)
        return await asyncio.gather(*map(one, self.names))

    async def measure(self, what, base=None):
        """Once it stays as it is."""
        before, since = 0, time.monotonic()
        while time.monotonic() - since < SETTLED:
            await asyncio.sleep(0.5)
            now = self.proxy.process.rss()
            if abs(now - before) > NOISE:
                before, since = now, time.monotonic()
        self.rows[what] = now
        more = ""
        if base is not None:
            more = "  %6.1f KiB of each" % ((now - self.rows[base])
                                            / self.opts.users)
        print("  %-38s %7d KiB%s" % (what, now, more), flush=True)

    # What is measured.

    async def start(self):
        for at, name in enumerate(self.names):
            await self.server.add_user(name, PASSWORD, self.contacts(at))
        await self.server.add_user(SENDER, PASSWORD)
        subprocess.run([FILL, self.store, DOMAIN, str(self.opts.users),
                        str(self.opts.entries)], check=True)
        await self.proxy.start()
        await self.measure("no server yet")
        await self.server.start()
        await poll(lambda: len(self.proxy.log_lines("event=upstream-up"))
                   >= self.opts.users, 300, "all accounts are up")
        await self.measure("accounts up", "no server yet")

    async def come(self, name):
        device = self.client(Device, name, "phone")
        await device.login()
        roster = await device.come()
        if len(roster) != self.opts.contacts:
            raise Failed("%s has %d contacts" % (name, len(roster)))
        await device.until_presence(
            lambda p: stanza.bare(p.get("from")) != device.bare)
        self.devices.append(device)

    async def message_all(self):
        sender = RawClient(SENDER, "%s@%s/pc" % (SENDER, DOMAIN), PASSWORD,
                           self.server.host, self.server.port,
                           self.authority.ca, context=self.context)
        await sender.login()
        for name in self.names:
            sender.say("%s@%s" % (name, DOMAIN), "to " + name)
        await sender.barrier()
        await sender.close()

    async def visit(self, name):
        """Another device comes, gets what nobody has got, and goes."""
        visitor = self.client(RawClient, name, "visitor")
        await visitor.login()
        await visitor.come()
        await visitor.until_body("to " + name)
        await visitor.close()

    async def run(self):
        print("%d users, %d contacts, %d entries each" % (
            self.opts.users, self.opts.contacts, self.opts.entries))
        await self.start()
        await self.each(self.come)
        await self.measure("a device of each awake", "accounts up")
        for device in self.devices:
            device.cut()
        self.devices.clear()
        await self.measure("asleep", "accounts up")
        await self.message_all()
        await self.measure("after a message to each")
        await self.each(self.visit)
        await self.measure("after a login of each", "accounts up")
        if self.opts.hold:
            print("pid %d" % self.proxy.process.pid, flush=True)
            await asyncio.Event().wait()
        return self.verdict()

    def verdict(self):
        """The most of what is to be within the goal: all but the awake. With
        other numbers of users what they make of it for a thousand."""
        base = 1024 * self.rows["no server yet"]
        most = 1024 * max(self.rows[row] for row in (
            "asleep", "after a message to each", "after a login of each"))
        for_all = base + (most - base) * GOAL_USERS / self.opts.users
        print("%s: %.1f MB at most, for %d users %.1f; the goal is %.0f MB" % (
            "good" if for_all <= GOAL else "too much", most / 1e6, GOAL_USERS,
            for_all / 1e6, GOAL / 1e6))
        return for_all <= GOAL

    async def end(self):
        for device in self.devices:
            device.cut()
        await self.proxy.stop()
        await self.server.stop()


async def bench(opts, folder):
    it = Bench(opts, folder)
    try:
        return await it.run()
    finally:
        await it.end()


def main():
    opts = options()
    if opts.contacts % 2 or opts.contacts >= opts.users:
        sys.exit("an even number of contacts, less than users")
    os.environ.setdefault("LOGLEVEL", "INFO")
    folder = tempfile.mkdtemp(prefix="xmpproxy-users-")
    good = False
    try:
        good = asyncio.run(bench(opts, folder))
    except KeyboardInterrupt:
        pass
    except Failed as e:
        print("%s\nlogs: %s" % (e, folder))
        folder = None
    finally:
        Process.kill_all()
        if folder:
            shutil.rmtree(folder)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
