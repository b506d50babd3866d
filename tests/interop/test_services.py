"""What clients do beside messages: the server's services for an account, file
transfers, commands. To the right account, and back to the right client."""

import asyncio
import os

from lib import stanza
from lib.case import case
from lib.wait import check

DISCO_ITEMS = "{http://jabber.org/protocol/disco#items}"
UPLOAD = "{urn:xmpp:http:upload:0}"
PUBSUB = "http://jabber.org/protocol/pubsub"
VCARD = "<vCard xmlns='vcard-temp'>%s</vCard>"
PRIVATE = "<query xmlns='jabber:iq:private'>%s</query>"
BOOKMARKS = "<storage xmlns='storage:bookmarks'>%s</storage>"
NODE = "urn:xmpp:bookmarks:1"
SECONDS = 20


async def done(client, kind, payload, **options):
    """The answer, which has to be a result."""
    answer = await client.iq(kind, payload, **options)
    check(answer.get("type") == "result",
          "%s: %s" % (client.label, stanza.text(answer)))
    return answer


async def comes(client, **options):
    await client.login()
    await client.come(**options)
    return client


async def two(world, plugins=()):
    """desk in account view, which is the best to be asked, and phone in node
    view."""
    desk = await comes(world.alices("desk", plugins=plugins), priority=5)
    phone = await comes(world.alices("phone", node=True, plugins=plugins))
    return desk, phone


async def account_at(bob, world):
    """alice's full JID, as bob sees it."""
    return (await bob.until_presence(
        lambda p: stanza.bare(p.get("from")) == world.alice
        and p.get("type") is None)).get("from")


# The account's own.

@case(direct=True)
async def own_vcard(world, count):
    """what desk puts into the vCard phone has in its view, and bob sees"""
    bob = await world.bob_comes()
    desk, phone = await two(world)
    await done(desk, "set", VCARD % ("<FN>Alice</FN><JABBERID>%s</JABBERID>"
                                     % desk.bare))
    for client, to, jid in ((phone, None, phone.bare),
                            (phone, phone.bare, phone.bare),
                            (desk, None, desk.bare),
                            (bob, world.alice, world.alice)):
        answer = await done(client, "get", VCARD % "", to=to)
        check(answer.findtext(".//{vcard-temp}FN") == "Alice"
              and answer.findtext(".//{vcard-temp}JABBERID") == jid,
              "%s: %s" % (client.label, stanza.text(answer)))


@case(direct=True)
async def own_private_xml(world, count):
    """what phone stores (XEP-0049, XEP-0048) desk reads"""
    desk, phone = await two(world)
    room = "room@muc.%s" % world.server.domain
    await done(phone, "set", PRIVATE % (
        BOOKMARKS % ("<conference jid='%s' name='Room'/>" % room)))
    await done(phone, "set", PRIVATE % (
        "<storage xmlns='storage:rosternotes'>"
        "<note jid='%s'>me</note></storage>" % phone.bare))
    answer = await done(desk, "get", PRIVATE % (BOOKMARKS % ""))
    found = answer.find(".//{storage:bookmarks}conference")
    check(found is not None and found.get("jid") == room,
          stanza.text(answer))
    answer = await done(desk, "get", PRIVATE %
                        "<storage xmlns='storage:rosternotes'/>")
    found = answer.find(".//{storage:rosternotes}note")
    check(found is not None and found.get("jid") == desk.bare,
          stanza.text(answer))


def pubsub(inner, owner=False):
    return "<pubsub xmlns='%s%s'>%s</pubsub>" % (
        PUBSUB, "#owner" if owner else "", inner)


def items_of(answer):
    return [i.get("id") for i in answer.iter("{%s}item" % PUBSUB)]


@case(direct=True)
async def own_pep(world, count):
    """a node (XEP-0402) is published, read, configured and deleted by both"""
    desk, phone = await two(world)
    room = "room@muc.%s" % world.server.domain
    await done(phone, "set", pubsub(
        "<publish node='%s'><item id='%s'><conference xmlns='%s' "
        "name='Room'/></item></publish>" % (NODE, room, NODE)))
    get = pubsub("<items node='%s'/>" % NODE)
    for client in desk, phone:
        for to in None, client.bare:
            answer = await done(client, "get", get, to=to)
            check(items_of(answer) == [room], stanza.text(answer))
    form = pubsub("<configure node='%s'>%%s</configure>" % NODE, owner=True)
    await done(phone, "set", form % (
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
        "<value>%s#node_config</value></field>"
        "<field var='pubsub#access_model'><value>whitelist</value></field>"
        "</x>" % PUBSUB))
    answer = await done(desk, "get", form % "")
    check("whitelist" in [
        v.text for f in answer.iter("{jabber:x:data}field")
        if f.get("var") == "pubsub#access_model"
        for v in f.findall("{jabber:x:data}value")], stanza.text(answer))
    await done(desk, "set", pubsub("<delete node='%s'/>" % NODE, owner=True))
    answer = await phone.iq("get", get)
    check(answer.get("type") == "error", stanza.text(answer))


@case(direct=True)
async def upload_slots(world, count):
    """three clients find the upload service and get a slot each"""
    clients = [*await two(world), await comes(world.alices("tablet"))]
    urls = set()

    async def slot(client):
        domain = client.bare.partition("@")[2]
        answer = await done(
            client, "get",
            "<query xmlns='http://jabber.org/protocol/disco#items'/>",
            to=domain)
        service = [i.get("jid") for i in answer.iter(DISCO_ITEMS + "item")
                   if i.get("jid").startswith("upload.")]
        check(len(service) == 1, stanza.text(answer))
        answer = await done(
            client, "get",
            "<request xmlns='urn:xmpp:http:upload:0' filename='%s.txt' "
            "size='10' content-type='text/plain'/>" % client.label,
            to=service[0], id="slot")
        url = answer.find(".//%sput" % UPLOAD).get("url")
        check(url.endswith(client.label + ".txt"), url)
        urls.add(url)
    await asyncio.gather(*map(slot, clients))
    check(len(urls) == 3, str(urls))


# File transfer.

class Received:
    """The streams that are opened to a client, and what comes by them."""

    def __init__(self, client):
        self._client = client
        self.streams = []
        client.xmpp["xep_0047"].auto_accept = True
        client.xmpp.add_event_handler("ibb_stream_start", self._start)
        for event in "ibb_stream_data", "ibb_stream_end":
            client.xmpp.add_event_handler(event, lambda _: client.bell.ring())

    def _start(self, stream):
        self.streams.append(stream)
        self._client.bell.ring()

    async def stream(self, sid):
        return await self._client.until(
            lambda: next((s for s in self.streams if s.sid == sid), None),
            SECONDS, "%s has the stream %s" % (self._client.label, sid))


async def whole(client, stream):
    """What came by it until it was closed."""
    await client.until(lambda: stream.stream_in_closed, SECONDS,
                       "%s: the end of %s" % (client.label, stream.sid))
    data = b""
    while not stream.recv_queue.empty():
        data += stream.recv_queue.get_nowait()
    return data


@case(direct=True)
async def ibb_at_once(world, count):
    """desk and phone send bob a file each, and he sends each one back"""
    bob = await world.bob_comes(plugins=["xep_0047"])
    desk, phone = await two(world, ["xep_0047"])
    files = {name: os.urandom(20000) for name in ("a", "b", "A", "B")}
    at_bob = Received(bob)
    for client in desk, phone:
        Received(client)

    async def both_ways(client, sid, by_messages):
        ours = await client.xmpp["xep_0047"].open_stream(
            bob.jid, sid=sid, use_messages=by_messages, timeout=SECONDS)
        theirs = await at_bob.stream(sid)
        theirs.use_messages = by_messages
        await asyncio.gather(
            ours.sendall(files[sid], timeout=SECONDS),
            theirs.sendall(files[sid.upper()], timeout=SECONDS))
        await client.until(
            lambda: ours.recv_queue.qsize() == 5, SECONDS,
            lambda: "%s has %d blocks" % (client.label,
                                          ours.recv_queue.qsize()))
        back = b"".join(ours.recv_queue.get_nowait() for _ in range(5))
        check(back == files[sid.upper()], "%s has another file" % client.label)
        await ours.close(timeout=SECONDS)
        check(await whole(bob, theirs) == files[sid],
              "bob has another file of %s" % client.label)
    await asyncio.gather(both_ways(desk, "a", False),
                         both_ways(phone, "b", True))


@case()
async def ibb_from_bob(world, count):
    """bob sends a file to alice: the best client has it, also when another
    one is better meanwhile"""
    bob = await world.bob_comes(plugins=["xep_0047"])
    desk, phone = await two(world, ["xep_0047"])
    at_desk, at_phone = Received(desk), Received(phone)
    data = os.urandom(20000)
    stream = await bob.xmpp["xep_0047"].open_stream(
        await account_at(bob, world), sid="s", timeout=SECONDS)
    await stream.sendall(data[:8192], timeout=SECONDS)
    phone.send(stanza.presence(priority=9))
    phone.say(stanza.bare(bob.jid), "another matter")
    await bob.until_body("another matter")
    await stream.sendall(data[8192:], timeout=SECONDS)
    await stream.close(timeout=SECONDS)
    check(await whole(desk, await at_desk.stream("s")) == data,
          "desk has another file")
    check(not at_phone.streams, "phone has a stream")


# Commands.

def form(client, label):
    made = client.xmpp["xep_0004"].make_form(ftype="form", title=label)
    made.add_field(var="name", ftype="text-single")
    return made


def offer(client):
    """A command of two stages, that says who went through it."""
    def second(payload, session):
        session["payload"] = form(
            client, "%s is %s" % (session["from"],
                                  payload["values"]["name"]))
        session["next"] = None
        return session

    def first(_, session):
        session["payload"] = form(client, "who")
        session["next"] = second
        session["has_next"] = True
        return session
    client.xmpp["xep_0050"].add_command(node="who", name="Who", handler=first)


async def begin(client, to):
    """The id of the session."""
    answer = await client.xmpp["xep_0050"].send_command(to, "who",
                                                        timeout=SECONDS)
    return answer["command"]["sessionid"]


async def finish(client, to, sessionid):
    """What is said in the end."""
    submit = client.xmpp["xep_0004"].make_form(ftype="submit")
    submit.add_field(var="name", value=client.label)
    answer = await client.xmpp["xep_0050"].send_command(
        to, "who", action="next", payload=submit, sessionid=sessionid,
        timeout=SECONDS)
    check(answer["command"]["status"] == "completed"
          and answer["command"]["sessionid"] == sessionid, str(answer))
    return answer["command"]["form"]["title"]


@case(direct=True)
async def commands_at_once(world, count):
    """desk and phone run the same command of bob's, in steps that cross"""
    plugins = ["xep_0004", "xep_0050"]
    bob = await world.bob_comes(plugins=plugins)
    offer(bob)
    desk, phone = await two(world, plugins)
    ids = await asyncio.gather(begin(desk, bob.jid), begin(phone, bob.jid))
    check(ids[0] != ids[1], str(ids))
    said = await asyncio.gather(finish(phone, bob.jid, ids[1]),
                                finish(desk, bob.jid, ids[0]))
    check([text.endswith(" is " + label) for text, label
           in zip(said, ("phone", "desk"))] == [True, True], str(said))


@case()
async def commands_of_alice(world, count):
    """bob runs a command of desk's: its session stays there when phone is
    the better one, which has its own"""
    plugins = ["xep_0004", "xep_0050"]
    bob = await world.bob_comes(plugins=plugins)
    desk, phone = await two(world, plugins)
    offer(desk)
    offer(phone)
    to = await account_at(bob, world)
    first = await begin(bob, to)
    since = len(phone.stanzas)
    phone.send(stanza.presence(priority=9))
    await phone.until_presence(lambda p: p.get("from") == phone.jid,
                               since=since)
    second = await begin(bob, to)
    for sessionid, owner in (first, desk), (second, phone):
        check(sessionid in owner.xmpp["xep_0050"].sessions,
              "%s does not know %s" % (owner.label, sessionid))
        said = await finish(bob, to, sessionid)
        check(said == "%s is bob" % bob.jid, said)
