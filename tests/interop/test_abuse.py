"""What nobody should do to the proxy, while others talk through it."""

import asyncio
import ssl

from lib import stanza
from lib.case import case
from lib.net import HOST
from lib.raw import HEADER, STARTTLS, RawClient
from lib.strophe import StropheClient
from lib.talk import talk_of
from lib.wait import PATIENCE, Failed, check, poll

ONE = ("prosody",)
# Not the address of the others: limits are counted by address.
ELSEWHERE = "127.0.0.66"
CROWD = 1000
MIB = 1024
PASSING = 20000
# How much the proxy may grow over an attack, in KiB. A connection that has
# not logged in costs some; so do OpenSSL's and the allocator's own caches.
GROWTH = 8 * MIB


async def closes(client, seconds=20):
    """What the proxy says before it closes."""
    said = ""
    try:
        async with asyncio.timeout(PATIENCE * seconds):
            while True:
                said += stanza.text(await client.piece(seconds))
    except (OSError, Failed):
        return said
    except asyncio.TimeoutError:
        raise Failed("%s is not closed; it was told %s"
                     % (client.label, said[-300:])) from None


async def logged_in(world, label="mallory"):
    client = world.alices(label, RawClient, source=ELSEWHERE)
    await client.open()
    await client.secure()
    await client.authenticate()
    await client.bind()
    client.write("<presence/>")
    await client.piece()
    return client


async def throw(world, bytes_, *conditions):
    """A logged in client writes this; its stream ends with one of these
    conditions. It need not come to hear it, if it goes on to write: what then
    comes is a reset; but the log has it."""
    logged = len(world.proxy.process.output())
    mallory = await logged_in(world)
    try:
        for at in range(0, len(bytes_), 65536):
            mallory.write(bytes_[at:at + 65536])
            await mallory.drain()
    except OSError:
        pass            # closed before it took all of it
    said = await closes(mallory)
    mallory.cut()
    log = world.proxy.process.output()[logged:]
    for text in said, log:
        if any(condition in text for condition in conditions):
            return
    check(False, "%r: no %s: %s" % (bytes_[:40], " or ".join(conditions),
                                    said[-300:]))


@case(servers=ONE)
async def hostile_xml(world, count):
    """DTD, PI, comment, entity, depth, half a character: that stream ends"""
    async with await talk_of(world) as talk:
        # Before the login, and after.
        early = world.alices("early", RawClient, source=ELSEWHERE)
        await early.open()
        early.write("<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]>"
                    + HEADER % early.domain)
        try:
            await early.stream()
        except Failed:
            pass
        await closes(early)
        restricted = "restricted-xml", "not-well-formed"
        policy = "policy-violation", "not-well-formed"
        for bytes_, conditions in (
                (b"<!DOCTYPE x>", restricted),
                (b"<?php echo 1?>", restricted),
                (b"<message><!-- comment --></message>", restricted),
                (b"<message><body>&nbsp;</body></message>", restricted),
                (b"<message><body>\xc3</body></message>",
                 ("not-well-formed", "unsupported-encoding", "bad-format")),
                (b"<message><body>\xed\xa0\x80</body></message>",
                 ("not-well-formed", "unsupported-encoding", "bad-format")),
                (b"<message><a:b/></message>", ("not-well-formed",
                                                "bad-namespace-prefix")),
                (b"<message>" + b"<x>" * 10000, policy),
                (b"<message" + b"".join(b" a%d='1'" % i for i in range(5000))
                 + b"/>", policy),
                (b"<" + b"m" * 400000, policy)):
            await throw(world, bytes_, *conditions)
            await talk.more(1)


@case(servers=ONE)
async def huge_stanza(world, count):
    """a stanza of 10 MB ends that stream, and is not kept in memory"""
    async with await talk_of(world) as talk:
        before = world.proxy.process.rss()
        for body in (b"x" * 10 * 1024 * 1024, b"<x/>" * 2500000):
            await throw(world, b"<message to='x@y'><body>" + body,
                        "policy-violation")
        await talk.more()
        world.proxy.process.check_growth(before, GROWTH)


@case(servers=ONE)
async def injection(world, count):
    """what follows STARTTLS in plain text is never taken for said inside"""
    async with await talk_of(world):
        for more in ("<iq type='get' id='injected'><x xmlns='a'/></iq>",
                     HEADER % world.server.domain,
                     "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
                     "mechanism='PLAIN'>AGEAYg==</auth>", " ", "<"):
            mallory = world.alices("mallory", RawClient, source=ELSEWHERE)
            await mallory.open()
            await mallory.stream()
            mallory.write(STARTTLS + more)
            try:
                answer = await mallory.piece()
                if not answer.tag.endswith("}proceed"):
                    continue        # an error is as good
                await mallory.start_tls()
                features = await mallory.stream()
                check(features.tag.endswith("}features")
                      and "injected" not in stanza.text(features),
                      "%r: %s" % (more, stanza.text(features)))
                await mallory.authenticate()
                await mallory.bind()
            except (OSError, ssl.SSLError):
                pass                # closed: as good
            finally:
                mallory.cut()


@case(servers=ONE, begin=False)
async def endless_handshake(world, count):
    """TLS handshakes that never end are ended"""
    await world.begin(limits={"tls_seconds": 3, "auth_seconds": 6})
    async with await talk_of(world) as talk:
        files = world.proxy.process.descriptors()
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
        writers = []
        for i in range(20):
            reader, writer = await asyncio.open_connection(
                HOST, world.proxy.direct_port, local_addr=(ELSEWHERE, 0))
            writer.write(hello[:i % len(hello)])
            writers.append((reader, writer))
        for i in range(20):
            client = world.alices("half%d" % i, RawClient, source=ELSEWHERE)
            await client.open()
            await client.stream()
            client.write(STARTTLS)
            await client.piece()
            client.write(hello[:i % len(hello)])
            writers.append((client._reader, client._writer))
        for reader, writer in writers:
            await asyncio.wait_for(ended(reader), PATIENCE * 20)
            writer.close()
        await talk.more()
        await poll(lambda: world.proxy.process.descriptors() <= files, 10,
                   "all descriptors are given back")


async def ended(reader):
    try:
        while await reader.read(65536):
            pass
    except OSError:
        pass


@case(servers=ONE, begin=False)
async def silent_crowd(world, count):
    """1,000 connections that say nothing are closed, and cost little"""
    await world.begin(limits={"tls_seconds": 5, "auth_seconds": 5})
    async with await talk_of(world) as talk:
        files = world.proxy.process.descriptors()
        before = world.proxy.process.rss()

        async def one(i):
            port = world.proxy.port if i % 2 else world.proxy.direct_port
            reader, writer = await asyncio.open_connection(
                HOST, port, local_addr=("127.0.0.%d" % (66 + i % 4), 0))
            await ended(reader)
            writer.close()
        crowd = [asyncio.ensure_future(one(i)) for i in range(CROWD)]
        await poll(lambda: world.proxy.process.descriptors() > files + CROWD
                   * 9 // 10, 20, "the crowd is connected")
        await talk.more()
        late = world.alices("late")
        await late.login()
        await late.come()
        await asyncio.wait_for(asyncio.gather(*crowd), PATIENCE * 40)
        await late.close()
        await poll(lambda: world.proxy.process.descriptors() <= files, 10,
                   "all descriptors are given back")
        world.proxy.process.check_growth(before, 32 * MIB)


# Without an archive: Prosody's would be what takes the time.
@case(servers=("prosody-old",), seconds=180, begin=False)
async def stops_reading(world, count):
    """a client reads no more while 20,000 messages pass: it alone is closed"""
    # The sockets' buffers take some megabytes: with less in the log, it is
    # sure to fall out of it.
    await world.begin(limits={"log_entries": 4000})
    bob = world.on_server(world.bob_name, "bob", RawClient)
    await bob.login()
    await bob.come()
    lazy = world.alices("lazy", RawClient)
    desk = world.alices("desk", RawClient)
    term = world.alices("term", StropheClient)
    for client in lazy, desk, term:
        await client.login()
        await client.come(carbons=client.kind == "raw")
    bob.say(world.alice, "start")
    await lazy.until_body("start")
    lazy.pause()
    # What the log and the queues of all may take, and a little.
    filler = "x" * 500

    async def pass_(first, last):
        for i in range(first, last):
            bob.say(world.alice, "%d %s" % (i, filler))
            if i % 100 == 99:
                await bob.drain()
                for client in desk, term:
                    await client.until_bodies(i - 500, 60)
        await desk.until_bodies(last + 1, 60)
        await term.until_bodies(last + 1, 60)
    # The first half fills what is bounded; after it nothing may grow.
    await pass_(0, PASSING // 2)
    before = world.proxy.process.rss()
    await pass_(PASSING // 2, PASSING)
    world.proxy.process.check_growth(before, 4 * MIB)
    for client in desk, term:
        numbers = [d.body.partition(" ")[0] for d in client.deliveries]
        check(numbers == ["start"] + list(map(str, range(PASSING))),
              "%s: not all, or not in order" % client.label)
    lazy.resume()
    bob.say(world.alice, "end")
    await desk.until_body("end")
    await lazy.until(
        lambda: lazy.ended, 60, lambda: "lazy is told to go; it has %d messages"
        % len(lazy.deliveries))
    check("resource-constraint" in lazy.ended, "lazy: " + lazy.ended)
    numbers = [int(d.body.partition(" ")[0]) for d in lazy.deliveries[1:]]
    check(numbers == list(range(len(numbers))), "lazy: a gap before its end")
