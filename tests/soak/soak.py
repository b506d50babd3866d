#!/usr/bin/python3
"""Many sessions stay connected with traffic; does xmpproxy's memory grow?

Each user has one account on a real Prosody and talks with one other user. A
message goes out from one session; its siblings and all sessions of the other
user are to get it. The proxy's log is kept short (log-entries), so that it is
full within the first minute and what then grows is not meant to.
The last line is the verdict, and the exit status says the same.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import ssl
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "interop"))
from lib import proxy, stanza  # noqa: E402
from lib.pki import Authority  # noqa: E402
from lib.process import Process  # noqa: E402
from lib.prosody import OLD, Prosody  # noqa: E402
from lib.raw import RawClient  # noqa: E402
from lib.wait import Failed, poll  # noqa: E402

DOMAIN = "soak.test"
PASSWORD = "secret of the account"
PROXY_PASSWORD = "secret of the proxy"
SETTLED = 60            # seconds, after which memory is not to grow
# What the median of the last minute may be above that of the second: the
# allocator's noise.
TOLERANCE = 0.01
LOGINS_AT_ONCE = 20
LOG_ENTRIES = 32


def options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--sessions", type=int, default=10, help="of each")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--rate", type=float, default=50,
                        help="messages a second, all together")
    parser.add_argument("--disk", action="store_true",
                        help="the log on disk, as usual, not in memory")
    return parser.parse_args()


class Session(RawClient):
    """Counts what it gets and, once it is there, keeps nothing."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.count = self.sum = 0
        self.is_there = False

    async def come(self, **options):
        await super().come(**options)
        self.is_there = True

    def _took(self, elem):
        got = stanza.delivery(elem)
        if got is None:
            if not self.is_there:
                super()._took(elem)
            return
        self.count += 1
        self.sum += int(got.body.partition(" ")[0])


class User:
    def __init__(self, number):
        self.name = "user%d" % number
        self.other = "user%d" % (number ^ 1)
        self.sessions = []
        # What its sessions are to get in all: how many, the sum of numbers.
        self.count = self.sum = 0


class Soak:
    def __init__(self, opts, folder):
        self.opts = opts
        self.authority = Authority(os.path.join(folder, "ca"))
        self.server = Prosody(os.path.join(folder, "prosody"), self.authority,
                              DOMAIN, kind=OLD)
        self.users = [User(i) for i in range(opts.users)]
        self.by_name = {u.name: u for u in self.users}
        self.proxy = proxy.Proxy(
            os.path.join(folder, "proxy"), self.authority, [DOMAIN],
            [({"name": u.name, "passwd": PROXY_PASSWORD},
              [proxy.Account("%s@%s" % (u.name, DOMAIN), PASSWORD,
                             self.server.port, self.server.ca)])
             for u in self.users],
            {"connections_per_address": 100000, "log_entries": LOG_ENTRIES},
            store=os.path.join(folder, "store.db") if opts.disk
            else ":memory:")
        self.context = ssl.create_default_context(cafile=self.authority.ca)
        self.sent = 0
        self.samples = []               # (seconds of traffic, RSS in KiB)

    async def login(self, user, number, gate):
        # Every second session in node view.
        domain = proxy.NODE if number % 2 else DOMAIN
        session = Session(
            "%s/%d" % (user.name, number),
            "%s@%s/s%d" % (user.name, domain, number), PROXY_PASSWORD,
            self.proxy.host, self.proxy.port, self.authority.ca,
            context=self.context)
        async with gate:
            await session.login()
            await session.come(carbons=True)
        user.sessions.append(session)

    async def start(self):
        for user in self.users:
            await self.server.add_user(user.name, PASSWORD, [user.other])
        await self.server.start()
        await self.proxy.start()
        gate = asyncio.Semaphore(LOGINS_AT_ONCE)
        started = time.monotonic()
        await asyncio.gather(*(self.login(u, i, gate) for u in self.users
                               for i in range(self.opts.sessions)))
        print("%d sessions of %d users in %.1f s; %d KiB" % (
            self.opts.users * self.opts.sessions, self.opts.users,
            time.monotonic() - started, self.proxy.process.rss()), flush=True)

    def say(self):
        """One message of a random session, and what is to come of it."""
        user = random.choice(self.users)
        other = self.by_name[user.other]
        session = random.choice(user.sessions)
        self.sent += 1
        session.say("%s@%s" % (other.name, DOMAIN), "%d %s" % (
            self.sent, "x" * random.randrange(20, 400)))
        for each in user, other:
            each.count += len(each.sessions)
            each.sum += self.sent * len(each.sessions)
        user.count -= 1
        user.sum -= self.sent

    def sample(self, at):
        self.samples.append((at, self.proxy.process.rss()))
        if at and at % 60 == 0:
            print("%4d s  %7d KiB  %6d messages  %8d deliveries  %6.1f s of"
                  " CPU" % (at, self.samples[-1][1], self.sent,
                            sum(s.count for u in self.users
                                for s in u.sessions),
                            self.proxy.process.cpu_seconds()), flush=True)

    async def traffic(self):
        started = time.monotonic()
        for second in range(self.opts.seconds + 1):
            self.sample(second)
            while self.sent < self.opts.rate * second:
                self.say()
                # Evenly over the second, where the machine keeps up.
                await asyncio.sleep(max(0, min(
                    1 / self.opts.rate,
                    started + second - time.monotonic())))
            if second % 20 == 10:
                for user in self.users:
                    random.choice(user.sessions).send(stanza.presence(
                        show=random.choice(["away", "chat", "dnd"])))
            await asyncio.sleep(max(0, started + second + 1
                                    - time.monotonic()))

    def is_complete(self, user):
        return (sum(s.count for s in user.sessions),
                sum(s.sum for s in user.sessions)) == (user.count, user.sum)

    async def faults(self):
        found = []
        try:
            await poll(lambda: all(map(self.is_complete, self.users)), 30, "")
        except Failed:
            found.append("%d users did not get all, or more than all"
                         % sum(not self.is_complete(u) for u in self.users))
        over = [s for u in self.users for s in u.sessions if s.ended]
        if over:
            found.append("%d sessions ended; %s: %s"
                         % (len(over), over[0].label, over[0].ended))
        return found

    def growth(self):
        """(median of the second minute, of the last one) in KiB."""
        last = self.samples[-1][0] - 60
        early = [rss for at, rss in self.samples
                 if SETTLED <= at < SETTLED + 60]
        late = [rss for at, rss in self.samples if at >= last]
        return statistics.median(early), statistics.median(late)

    async def pauses(self):
        """What the loop measured of its own turns since this was last asked."""
        before = len(self.proxy.log_lines("event=pauses"))
        os.kill(self.proxy.process.pid, signal.SIGUSR1)
        await poll(lambda: len(self.proxy.log_lines("event=pauses")) > before,
                   10, "the proxy tells its pauses")
        return self.proxy.log_lines("event=pauses")[-1].partition(
            "event=pauses ")[2].strip()

    async def verdict(self):
        found = await self.faults()
        early, late = self.growth()
        peak = max(rss for at, rss in self.samples if at >= SETTLED)
        print("memory: %d KiB in the second minute, %d in the last, %d at"
              " most" % (early, late, peak))
        if late > early * (1 + TOLERANCE):
            found.append("memory grew by %d KiB" % (late - early))
        print("; ".join(found) if found else
              "good: %d messages, %d deliveries, none lost, none twice, no"
              " session ended, no growth"
              % (self.sent, sum(u.count for u in self.users)))
        return not found

    async def end(self):
        for user in self.users:
            for session in user.sessions:
                session.cut()
        await self.proxy.stop()
        await self.server.stop()


async def soak(opts, folder):
    it = Soak(opts, folder)
    try:
        await it.start()
        await it.pauses()
        await it.traffic()
        print("pauses: " + await it.pauses())
        return await it.verdict()
    finally:
        await it.end()


async def until_interrupted(opts, folder):
    task = asyncio.ensure_future(soak(opts, folder))
    for sig in signal.SIGINT, signal.SIGTERM:
        asyncio.get_running_loop().add_signal_handler(sig, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        print("interrupted")
    except Failed as e:
        print(e)
    return False


def main():
    opts = options()
    if opts.users % 2 or opts.seconds < SETTLED + 60:
        sys.exit("users in pairs; %d seconds at least" % (SETTLED + 60))
    os.environ.setdefault("LOGLEVEL", "INFO")
    folder = tempfile.mkdtemp(prefix="xmpproxy-soak-")
    good = False
    try:
        good = asyncio.run(until_interrupted(opts, folder))
    finally:
        Process.kill_all()
        if good:
            shutil.rmtree(folder)
        else:
            print("logs: " + folder)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
