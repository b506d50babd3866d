#!/usr/bin/python3
"""A numbered conversation through xmpproxy, which is killed all the while.

bob and several clients of alice, all with stream management, write numbered
messages. The proxy is killed and started again, links are cut, the server is
restarted, the disk is full; all at moments that come from the seed. In the end
each client is to have each message once, and each writer's in order. The last
line is the verdict, and the exit status says the same.

--direct leaves out the proxy: the clients log in to the server itself. That
shows whether the test can count.

A server that is killed outright (--hard-restarts) can have written a message
to one archive and not to the other: then it is lost, whoever else is careful.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "interop")]
from lib.process import Process  # noqa: E402
from lib.wait import PATIENCE, Failed  # noqa: E402

from faults import Faults  # noqa: E402
from scene import DEVICES, Scene  # noqa: E402

SHORT = {"messages": 3000, "kills": 5, "cuts": 5, "upstream_cuts": 2,
         "server_restarts": 2, "full_disks": 1}
LONG = {"messages": 100000, "kills": 200, "cuts": 200, "upstream_cuts": 50,
        "server_restarts": 50, "full_disks": 10}
BURST = 12


def options():
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0],
        epilog="Without numbers it is the short run.")
    for name, count in SHORT.items():
        parser.add_argument("--" + name.replace("_", "-"), type=int,
                            help="%d; long: %d" % (count, LONG[name]))
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--devices", type=int, default=3,
                        choices=range(1, len(DEVICES) + 1),
                        help="of alice (%(default)s)")
    parser.add_argument("--window", type=int, default=200,
                        help="unacknowledged messages of one client")
    parser.add_argument("--lag", type=int, default=1000,
                        help="messages that the slowest reader may lack")
    parser.add_argument("--direct", action="store_true",
                        help="without a proxy: does the test count?")
    parser.add_argument("--hard-restarts", action="store_true",
                        help="kill the server every other time")
    parser.add_argument("--as-it-is", action="store_true",
                        help="do not mend the server (prosody/)")
    parser.add_argument("--stall", type=int, default=45,
                        help="seconds in which nothing moves that end it")
    parser.add_argument("--fail-fast", action="store_true",
                        help="end at the first that comes wrongly")
    parser.add_argument("--lie", type=int, default=0,
                        help="what one client adds to the h it resumes with:"
                        " the test is to fail")
    parser.add_argument("--keep", action="store_true",
                        help="keep the folder with all logs")
    parser.add_argument("-v", "--verbose", action="store_true",
                        help="one line for each fault")
    opts = parser.parse_args()
    for name, count in (LONG if opts.long else SHORT).items():
        if getattr(opts, name) is None:
            setattr(opts, name, count)
    if opts.seed is None:
        opts.seed = random.SystemRandom().randrange(10 ** 6)
    if opts.direct:
        opts.kills = opts.upstream_cuts = opts.full_disks = 0
    return opts


class Chaos:
    def __init__(self, opts, folder):
        self.opts = opts
        self.scene = Scene(opts, folder)
        self.tally = self.scene.tally
        self.faults = Faults(self.scene, opts)

    def may_write(self, client):
        limit = self.faults.limit()
        return client.is_up and \
            len(client.unacked) < self.opts.window and \
            self.tally.lag(client.writer) < self.opts.lag and \
            (limit is None or self.tally.sent < limit)

    async def write(self, client, count):
        """Until `count` of its messages were taken."""
        while (left := count - self.tally.due(client.writer)) > 0:
            await self.scene.until(lambda: self.may_write(client), 3600,
                                   "%s may write" % client.label)
            wait = client.may_write_at - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
                continue
            client.say(min(left, client.rng.randrange(1, BURST)))
            await asyncio.sleep(0)

    async def converse(self):
        share, rest = divmod(self.opts.messages, len(self.scene.clients))
        async with asyncio.TaskGroup() as group:
            group.create_task(self.faults.run())
            for i, client in enumerate(self.scene.clients):
                group.create_task(self.write(client, share + (i < rest)))

    async def calm(self):
        """Until all is there. Then one more of each, behind which nothing
        old can still come."""
        for _ in range(2):
            await self.scene.until(
                lambda: self.tally.is_complete() and all(
                    c.is_up and not c.unacked for c in self.scene.clients),
                3600, "everybody has everything")
            for client in self.scene.clients:
                await self.write(client, self.tally.due(client.writer) + 1)
        await self.scene.until(
            lambda: self.tally.is_complete() and not any(
                c.unacked for c in self.scene.clients), 3600, "it is calm")

    async def watch(self):
        """Throws where nothing moves any more."""
        moved, before = time.monotonic(), None
        while True:
            await asyncio.sleep(0.5)
            if self.opts.fail_fast and self.tally.has_wrong():
                raise Failed("the first fault ends it")
            now = (self.tally.sent, self.tally.got)
            if now != before:
                moved, before = time.monotonic(), now
            elif time.monotonic() - moved > PATIENCE * self.opts.stall:
                raise Failed("nothing moves any more\n" + self.scene.state())

    async def play(self):
        await self.scene.start()
        started = time.monotonic()
        watching = [asyncio.ensure_future(self.watch())]
        if self.scene.proxy:
            watching.append(asyncio.ensure_future(self.scene.keep_proxy()))
        playing = asyncio.ensure_future(self.talk())
        try:
            await asyncio.wait([playing, *watching],
                               return_when=asyncio.FIRST_COMPLETED)
            for task in (playing, *watching):
                if task.done():
                    task.result()
        finally:
            for task in (playing, *watching):
                task.cancel()
            await asyncio.gather(playing, *watching, return_exceptions=True)
        seconds = time.monotonic() - started
        print("# %d messages in %.1f s, %.0f a second; %s" % (
            self.tally.sent, seconds, self.tally.sent / seconds, ", ".join(
                "%d of %s" % (k.done, k.name) for k in self.faults.kinds)))

    async def talk(self):
        await self.converse()
        await self.calm()

    def report(self):
        """True where all is well."""
        print("\n".join("# " + line
                        for line in self.tally.table().splitlines()))
        for client in self.scene.clients:
            print("# " + client.state())
        if self.faults.skips_disks:
            print("# the disk was not filled: that takes a mount, by root")
        if self.scene.proxy_ends:
            print("# the proxy gave up %d times" % self.scene.proxy_ends)
        faults = self.tally.text_of_faults()
        for line in faults.splitlines():
            print("# " + line)
        return not faults


def first(error):
    """Out of the groups that tasks wrap it in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def run(opts, folder):
    it = Chaos(opts, folder)
    good = True
    try:
        try:
            await it.play()
        except (Failed, OSError, ExceptionGroup) as e:
            error = first(e)
            if not isinstance(error, (Failed, OSError)):
                raise
            good = False
            print("\n".join("# " + line for line in str(error).splitlines()))
        good = it.report() and good
    except asyncio.CancelledError:
        it.report()
        raise
    finally:
        try:
            await it.scene.end()
        except Failed as e:
            good = False
            print("# %s" % e)
        if opts.keep or not good:
            it.scene.disk.save(os.path.join(folder, "store"))
        it.scene.disk.end()
    return good


async def until_interrupted(opts, folder):
    task = asyncio.ensure_future(run(opts, folder))
    for sig in signal.SIGINT, signal.SIGTERM:
        asyncio.get_running_loop().add_signal_handler(sig, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        print("# interrupted")
    return False


def main():
    opts = options()
    os.environ.setdefault("LOGLEVEL", "INFO")
    folder = tempfile.mkdtemp(prefix="xmpproxy-chaos-")
    good = False
    try:
        good = asyncio.run(until_interrupted(opts, folder))
    finally:
        Process.kill_all()
        if good and not opts.keep:
            shutil.rmtree(folder)
        else:
            print("# logs: " + folder)
        print("%s - %d messages, seed %d" % (
            "ok" if good else "not ok", opts.messages, opts.seed), flush=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
