"""A device that was away gets what it missed, by playback or from an archive."""

import asyncio

from lib import stanza
from lib.case import case
from lib.wait import check
from test_messages import compare

SERVERS = ("prosody", "prosody-old", "ejabberd")
# How many may be under way, and the seconds that so many may take.
BATCH, BATCH_SECONDS = 100, 60
PAGE = 50
MAM = "{urn:xmpp:mam:2}"
STANZA_ID = "{urn:xmpp:sid:0}stanza-id"
READER = ("xep_0280", "xep_0313")


class Chats:
    """Two chats of alice: bob and carol write to her, and her client desk to
    them. A further client, the witness, sees it all as it comes."""

    def __init__(self, world, jid, bob, carol, desk, witness):
        self._alice = jid
        self._writers = [(bob, world.alice), (carol, world.alice),
                         (desk, bob.bare), (desk, carol.bare)]
        self._witness = witness
        self.sent = [[] for _ in self._writers]     # the bodies of each
        self.all = []           # as the witness saw them: Deliveries

    def _write(self, count):
        for i in range(count):
            number = i % len(self._writers)
            writer, to = self._writers[number]
            sent = self.sent[number]
            sent.append("%d of %s to %s" % (
                len(sent), writer.label, to.partition("@")[0]))
            writer.say(to, sent[-1])

    async def go_on(self, count):
        at = len(self._witness.deliveries)
        start = at
        while count > 0:
            batch = min(count, BATCH)
            self._write(batch)
            count -= batch
            at += batch
            await self._witness.until_bodies(at, BATCH_SECONDS)
        self.all += self._witness.deliveries[start:]
        for sent in self.sent:
            compare("the witness", [d.body for d in self.all
                                    if d.body in set(sent)], sent)

    def bodies(self):
        return [d.body for d in self.all]

    def check_archive(self, archive, part=slice(None), is_ours=True):
        """That part of what was said is what was read. A server got it in an
        order of its own, but for that of each writer."""
        got, wanted = [got.body for _, got in archive], self.bodies()[part]
        for sent in [wanted] if is_ours else self.sent:
            sent = set(sent)
            compare("archive", [body for body in got if body in sent],
                    [body for body in wanted if body in sent])
        check(len(got) == len(wanted), "archive: strange %s"
              % (set(got) - set(wanted)))


async def chats_of(world, node=False):
    bob, carol = await asyncio.gather(world.bob_comes(), world.carol_comes())
    desk = world.alices("desk", node=node)
    witness = world.alices("witness", node=node)
    for client in desk, witness:
        await client.login()
        await client.come(carbons=True)
    return Chats(world, witness.bare, bob, carol, desk, witness)


def chat_of(got, own):
    """(who the chat is with, whether alice wrote it)"""
    if stanza.bare(got.frm) == own:
        return stanza.bare(got.to), True
    return stanza.bare(got.frm), got.how == "note"


async def away(world, count, carbons=True, node=False):
    chats = await chats_of(world, node)
    phone = world.alices("phone", node=node)
    await phone.login()
    await phone.come(carbons=carbons)
    await chats.go_on(4)
    await phone.until_bodies(4, 20)
    await phone.close()

    await chats.go_on(count)
    await phone.login()
    await phone.come(carbons=carbons)
    await phone.until_bodies(4 + count, count / 10 + 20)
    await chats.go_on(4)
    await phone.until_bodies(4 + count + 4, 20)
    compare("phone", [d.body for d in phone.deliveries], chats.bodies())
    copy = "sent" if carbons else "note"
    for got, seen in zip(phone.deliveries, chats.all):
        peer, is_own = chat_of(seen, phone.bare)
        check(got.how == (copy if is_own else "plain")
              and chat_of(got, phone.bare) == (peer, is_own),
              "phone: %r" % got)
    for got in phone.deliveries[4:4 + count]:
        check(got.delay is not None, "without its time: %r" % got)
    check([d for d in phone.deliveries[4 + count:]
           if d.how == "plain" and d.delay is not None] == [],
          "what comes now is delayed")


@case(servers=SERVERS, store=True, seconds=120)
async def away_carbons(world, count):
    """a device that was away gets all of two chats, once, in order; by carbons"""
    await away(world, count)


@case(servers=SERVERS, store=True, seconds=120)
async def away_notes(world, count):
    """the same for one without carbons, by notes"""
    await away(world, count, carbons=False)


@case(servers=SERVERS, store=True, seconds=120)
async def away_node(world, count):
    """the same in node view"""
    await away(world, count, node=True)


def result_of(message):
    """(id, Delivery) of a result as slixmpp has it."""
    result = message.xml.find(MAM + "result")
    inner = result.find("%sforwarded/%smessage"
                        % (stanza.FORWARD, stanza.CLIENT))
    if inner is None or inner.find(stanza.CLIENT + "body") is None:
        return None
    got = stanza.Delivery("plain", inner, message.xml)
    return result.get("id"), got


async def read_archive(client, after=None, **filters):
    """All of it, by slixmpp's own paging: [(id, Delivery)]"""
    rsm = {"max": PAGE}
    if after is not None:
        rsm["after"] = after
    found = []
    async for message in client.xmpp["xep_0313"].iterate(rsm=rsm, **filters):
        result = result_of(message)
        if result is not None:
            found.append(result)
    return found


def stanza_id(elem, by):
    """Of a message as it came; of carbons the one inside."""
    return next((e.get("id") for e in elem.iter(STANZA_ID)
                 if e.get("by") == by), None)


def check_ids(archive, deliveries, by):
    """What came live has the ids that the archive has for it."""
    ids = {got.body: id for id, got in archive}
    for got in deliveries:
        live = stanza_id(got.elem, by)
        if live is None and got.how == "sent":
            continue            # a server need not have told it by then
        check(live == ids.get(got.body), "%r has the id %s, in the archive %s"
              % (got, live, ids.get(got.body)))


async def reads(world, count, node=False):
    chats = await chats_of(world, node)
    is_ours = node or not world.server.has_archive
    phone = world.alices("phone", node=node, plugins=READER)

    async def comes():
        await phone.login()
        await phone.xmpp["xep_0280"].enable()
        read = await read_archive(phone, last)
        await phone.come()
        return read

    last = None
    check(await comes() == [], "there is something in it already")
    await chats.go_on(4)
    await phone.until_bodies(4, 20)
    archive = await read_archive(phone)
    chats.check_archive(archive, is_ours=is_ours)
    last = archive[-1][0]
    await phone.close()

    await chats.go_on(count)
    read = await comes()
    chats.check_archive(read, slice(4, None), is_ours)
    await chats.go_on(4)
    await phone.until_bodies(4 + 4, 20)
    compare("phone, live", [d.body for d in phone.deliveries],
            chats.bodies()[:4] + chats.bodies()[-4:])
    archive = await read_archive(phone)
    chats.check_archive(archive, is_ours=is_ours)
    check(len({id for id, _ in archive}) == len(archive), "ids twice")
    check([id for id, _ in archive[4:-4]] == [id for id, _ in read],
          "other ids for the same messages")
    check_ids(archive, chats.all + phone.deliveries, phone.bare)
    places = {seen.body: chat_of(seen, phone.bare) for seen in chats.all}
    for _, got in archive:
        check(chat_of(got, phone.bare) == places[got.body],
              "archive: %r" % got)


@case(servers=SERVERS, store=True, seconds=150)
async def away_archive(world, count):
    """so has one that reads the archive (XEP-0313), ours or the server's"""
    await reads(world, count)


@case(servers=SERVERS, store=True, seconds=150)
async def away_archive_node(world, count):
    """the same in node view, where it is ours"""
    await reads(world, count, node=True)
