"""A TCP relay whose links can be cut, or made to look alive when they are not.

Up is from who connected (near) to who listens (far), down the way back.
"""

import asyncio
import socket
import struct

from lib import net

UP, DOWN = 0, 1
PASS, SWALLOW, HOLD = range(3)
HIGH_WATER = 256 * 1024
# What may still pass between two halves of a cut that count bytes.
TAIL_BYTES = 8192
TAIL_SECONDS = 0.3
# How long a link looks alive at most, and how long its other half stays open
# when the first one has gone.
HALF_OPEN_SECONDS = (0.2, 2.5)
LINGER_SECONDS = 1.0
KINDS = ("reset", "fin", "tail-up", "tail-down", "tail-both", "half-open-up",
         "half-open-down", "half-open-both", "late")


def reset(transport):
    """Closes it so that the peer gets an RST."""
    if transport is None or transport.is_closing():
        return
    sock = transport.get_extra_info("socket")
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    except OSError:
        pass
    transport.abort()


class Side(asyncio.Protocol):
    """One of the two connections of a link."""

    def __init__(self, link, way):
        self.link = link
        self.way = way              # of what is read here
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(HIGH_WATER)
        self.link.made(self)

    def data_received(self, data):
        self.link.took(self.way, data)

    def eof_received(self):
        return False

    def connection_lost(self, exc):
        self.link.lost(self, exc)

    def pause_writing(self):
        self.other.pause(True)          # its way ends here

    def resume_writing(self):
        self.other.pause(False)

    def pause(self, is_paused):
        if self.transport is None or self.transport.is_closing():
            return
        if is_paused:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    @property
    def other(self):
        return self.link.sides[1 - self.way]


class Link:
    def __init__(self, relay):
        self.relay = relay
        self.sides = [Side(self, UP), Side(self, DOWN)]
        self.modes = [PASS, PASS]
        self.held = bytearray()
        self.early = []             # before there was a far half
        self.swallowed = 0
        self.passed = [0, 0]
        self.is_parting = False     # a cut says what becomes of its halves
        self.gone = asyncio.Event()         # one half, at least

    def made(self, side):
        if side.way == UP:
            self.relay.add(self)
        else:
            side.transport.write(b"".join(self.early))

    def took(self, way, data):
        mode = self.modes[way]
        if mode == PASS:
            self.passed[way] += len(data)
            out = self.sides[1 - way].transport
            if out is None:
                self.early.append(data)
            elif not out.is_closing():
                out.write(data)
            return
        self.swallowed += len(data)
        if mode == HOLD:
            self.held += data

    def lost(self, side, exc):
        self.gone.set()
        self.relay.links.discard(self)
        other = side.other.transport
        if self.is_parting or other is None:
            return
        if exc is None:
            other.close()           # what was read is still written
        else:
            reset(other)

    def end(self):
        for side in self.sides:
            reset(side.transport)


class Relay:
    """Listens on a port of its own for as long as it is there, whether or not
    anybody is behind it."""

    def __init__(self, port, target):
        self.port = port
        self.target = target        # the port behind
        self.links = set()          # whole ones
        self.came = 0               # links, since the start
        self._server = None
        self._tasks = set()

    async def start(self):
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Link(self).sides[UP], net.HOST, self.port)

    def add(self, link):
        task = asyncio.ensure_future(self._connect(link))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, link):
        near, far = link.sides
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: far, net.HOST, self.target)
        except OSError:
            reset(near.transport)
            return
        if near.transport.is_closing():
            reset(far.transport)
            return
        self.came += 1
        self.links.add(link)

    def stop(self):
        if self._server is None:
            return
        self._server.close()
        for link in list(self.links):
            link.end()

    def _one(self):
        return next(iter(self.links), None)

    async def cut(self, kind, rng, seconds=5):
        """Cuts the link that is there, waiting for one. False: none came."""
        deadline = asyncio.get_running_loop().time() + seconds
        while (link := self._one()) is None:
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.02)
        self.links.discard(link)
        what, _, ways = kind.partition("-")
        if what == "half":
            await self._half_open(link, ways.removeprefix("open-"), rng)
        elif what == "tail":
            await self._tail(link, ways, rng)
        elif what == "late":
            await self._late(link, rng)
        elif what == "fin":
            link.sides[UP].transport.close()
        else:
            link.end()
        return True

    @staticmethod
    def _deafen(link, ways, mode=SWALLOW):
        for way, name in (UP, "up"), (DOWN, "down"):
            if ways in (name, "both"):
                link.modes[way] = mode

    async def _until_bytes(self, link, count):
        """Until so many were swallowed, or time is over, or it broke."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + TAIL_SECONDS
        while link.swallowed < count and not link.gone.is_set() and \
                loop.time() < deadline:
            await asyncio.sleep(0.005)

    async def _tail(self, link, ways, rng):
        """The last bytes were sent and did not arrive."""
        self._deafen(link, ways)
        await self._until_bytes(link, rng.randrange(1, TAIL_BYTES))
        link.end()

    async def _half_open(self, link, ways, rng):
        """Nothing arrives, and nobody is told. The half that is not the first
        to give up stays open until there is a new link, and a little more."""
        hold, linger = rng.uniform(*HALF_OPEN_SECONDS), rng.random()
        self._deafen(link, ways)
        link.is_parting = True
        try:
            await asyncio.wait_for(link.gone.wait(), hold)
        except asyncio.TimeoutError:
            pass
        else:
            await self._until_next(link)
            await asyncio.sleep(linger * LINGER_SECONDS / 2)
        link.end()

    async def _until_next(self, link):
        """Until a successor has carried something each way."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LINGER_SECONDS
        while loop.time() < deadline:
            if any(all(other.passed) for other in self.links
                   if other is not link):
                return
            await asyncio.sleep(0.005)

    async def _late(self, link, rng):
        """What was sent last arrives when its sender has come back already,
        over a new link."""
        self._deafen(link, "up", HOLD)
        await self._until_bytes(link, rng.randrange(1, TAIL_BYTES))
        link.is_parting = True
        near, far = link.sides
        reset(near.transport)
        await self._until_next(link)
        await asyncio.sleep(rng.random() * 0.05)
        if not far.transport.is_closing():
            far.transport.write(bytes(link.held))
            far.transport.close()
