"""A conversation that goes on while something else is tried."""

import asyncio

from .wait import Failed

PAUSE = 0.02
SECONDS = 20


class Talk:
    """bob and a client of alice take turns; `async with` fails where a word
    is lost, doubled, out of order or too late."""

    def __init__(self, world, bob, desk):
        self._alice = world.alice
        self._bob, self._desk = bob, desk
        self._task = None
        self.words = 0

    async def _go(self):
        bob, desk = self._bob, self._desk
        at_bob, at_desk = len(bob.deliveries), len(desk.deliveries)
        while True:
            self.words += 1
            question = "question %d" % self.words
            bob.say(self._alice, question)
            await desk.until_bodies(at_desk + self.words, SECONDS)
            if desk.deliveries[-1].body != question:
                raise Failed("desk gets %r, not %r"
                             % (desk.deliveries[-1], question))
            answer = "answer %d" % self.words
            desk.say(bob.bare, answer)
            await bob.until_bodies(at_bob + self.words, SECONDS)
            if bob.deliveries[-1].body != answer:
                raise Failed("bob gets %r, not %r"
                             % (bob.deliveries[-1], answer))
            await asyncio.sleep(PAUSE)

    async def __aenter__(self):
        self._task = asyncio.ensure_future(self._go())
        await self.more()
        return self

    async def more(self, words=3):
        """Until so many more were exchanged."""
        wanted = self.words + words
        await self._desk.until(
            lambda: self.words > wanted or self._task.done(), 60,
            "the conversation goes on")
        if self._task.done():
            self._task.result()

    async def __aexit__(self, kind, error, trace):
        if kind is None:
            await self.more()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def talk_of(world, **options):
    """bob and desk are there, and talk."""
    bob = await world.bob_comes()
    desk = world.alices("desk", **options)
    await desk.login()
    await desk.come(carbons=not world.direct or world.server.has_carbons)
    return Talk(world, bob, desk)
