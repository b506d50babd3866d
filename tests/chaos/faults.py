"""What goes wrong, and after how many messages: all of it out of the seed."""

import asyncio
import random

from relay import KINDS

# Not before everybody is talking, nor when it is nearly over.
FIRST, LAST = 0.03, 0.97
# How many messages a fault that is due may be waited for.
SLACK = 300
DOWN_SECONDS = 1.0              # at most
FULL_SECONDS = 1.5
FULL_MESSAGES = 200


class Fault:
    """One kind: `count` of them, each `act(rng)`, which returns a text."""

    def __init__(self, name, count, act, seed, messages):
        self.name = name
        self.act = act
        self.rng = random.Random("%s %s" % (seed, name))
        self.due = sorted(self.rng.randrange(int(FIRST * messages),
                                             int(LAST * messages) + 1)
                          for _ in range(count))
        self.done = 0

    @property
    def next(self):
        """The number of messages after which the next one is due."""
        return self.due[self.done] if self.done < len(self.due) else None


class Faults:
    def __init__(self, scene, opts):
        self.scene = scene
        self.opts = opts
        disks = opts.full_disks if scene.disk.is_there else 0
        self.skips_disks = opts.full_disks and not scene.disk.is_there
        self.kinds = [
            Fault(name, count, act, opts.seed, opts.messages)
            for name, count, act in (
                ("kill", opts.kills, self._kill),
                ("cut", opts.cuts, self._cut),
                ("upstream cut", opts.upstream_cuts, self._cut_upstream),
                ("server restart", opts.server_restarts, self._restart),
                ("full disk", disks, self._fill))]

    def limit(self):
        """How many messages may be sent before a fault that is due comes."""
        due = [k.next for k in self.kinds if k.next is not None]
        return min(due) + SLACK if due else None

    async def run(self):
        """All of them; throws what goes wrong with them."""
        async with asyncio.TaskGroup() as group:
            for kind in self.kinds:
                group.create_task(self._run(kind))

    async def _run(self, kind):
        while kind.next is not None:
            due = kind.next
            await self.scene.until(
                lambda: self.scene.tally.sent >= due, 3600,
                "%d messages are sent" % due)
            kind.done += 1
            text = await kind.act(kind.rng)
            if self.opts.verbose:
                print("# %6d %s: %s" % (self.scene.tally.sent, kind.name,
                                        text), flush=True)

    def _down(self, rng):
        return rng.choice((0, rng.uniform(0, DOWN_SECONDS)))

    async def _kill(self, rng):
        await self._until_proxy()
        seconds = self._down(rng)
        await self.scene.kill_proxy(seconds)
        return "%.2f s" % seconds

    async def _until_proxy(self):
        while self.scene.killing:
            await asyncio.sleep(0.02)

    async def _cut(self, rng):
        label = rng.choice(sorted(self.scene.relays))
        kind = rng.choice(KINDS)
        if not await self.scene.relays[label].cut(kind, rng):
            return "%s has no link" % label
        return "%s %s" % (label, kind)

    async def _cut_upstream(self, rng):
        kind = rng.choice(KINDS)
        if not await self.scene.upstream.cut(kind, rng):
            return "there is no link"
        return kind

    async def _restart(self, rng):
        hard = self.opts.hard_restarts and rng.random() < 0.5
        seconds = self._down(rng)
        await self.scene.restart_server(seconds, hard)
        return "%.2f s%s" % (seconds, ", killed" if hard else "")

    async def _fill(self, rng):
        """Full until so many messages went by, or that time."""
        disk, tally = self.scene.disk, self.scene.tally
        loop = asyncio.get_running_loop()
        end = loop.time() + FULL_SECONDS * rng.uniform(0.2, 1)
        enough = tally.sent + FULL_MESSAGES
        ends = self.scene.proxy_ends
        try:
            while loop.time() < end and tally.sent < enough:
                disk.fill()
                await asyncio.sleep(0.02)
        finally:
            disk.free()
        return "%s" % ("the proxy gave up" if self.scene.proxy_ends > ends
                       else "the proxy stayed")
