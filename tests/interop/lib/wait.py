"""Waiting with a deadline: for what clients receive, and for the rest."""

import asyncio
import os
import time

# A factor on all deadlines: sanitizers and valgrind make everything slower.
PATIENCE = float(os.environ.get("PATIENCE", "1"))
# How often something is looked at that cannot tell by itself (a port that is
# not open yet, a line in a log).
LOOK = 0.02


class Failed(AssertionError):
    """What a case expected did not happen."""


def check(truth, text):
    if not truth:
        raise Failed(text)


async def poll(look, seconds, what):
    """Calls look() until it gives something true, and returns that."""
    deadline = time.monotonic() + PATIENCE * seconds
    while True:
        found = look()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        if time.monotonic() > deadline:
            raise Failed("not within %g s: %s" % (seconds, what))
        await asyncio.sleep(LOOK)


class Bell:
    """Wakes those who wait for a condition each time that something came."""

    def __init__(self):
        self._waiting = set()

    def ring(self):
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, ready, seconds, what):
        """Returns what ready() gave as soon as that is true. `what` is a text,
        or a function that makes one when the time is over."""
        # Not wait_for(): that loses a cancellation that comes with a result.
        try:
            async with asyncio.timeout(PATIENCE * seconds):
                while not (found := ready()):
                    await self._rung()
        except TimeoutError:
            text = what() if callable(what) else what
            raise Failed("not within %g s: %s" % (seconds, text)) from None
        return found

    async def _rung(self):
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)
