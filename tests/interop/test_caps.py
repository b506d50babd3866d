"""Capabilities and personal events: N clients look like one good client."""

import os
import random
import signal

from lib import stanza
from lib.case import case
from lib.wait import check, poll

CAPS = "{http://jabber.org/protocol/caps}c"
EVENT = "{http://jabber.org/protocol/pubsub#event}"
NICK = "http://jabber.org/protocol/nick"
BOOKMARKS = "urn:xmpp:bookmarks:1"
# One item is kept otherwise. Of an ejabberd the configuration says so: it does not
# know that option.
OPTIONS = (
    "<publish-options><x xmlns='jabber:x:data' type='submit'>"
    "<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/"
    "pubsub#publish-options</value></field>"
    "<field var='pubsub#max_items'><value>10</value></field>"
    "</x></publish-options>")
CAN = ["urn:xmpp:receipts", "urn:xmpp:jingle:1", "urn:xmpp:chat-markers:0",
       "http://jabber.org/protocol/ibb", "urn:xmpp:message-correct:0",
       "jabber:x:conference", "jabber:x:oob", "urn:xmpp:reactions:0"]


async def can(client, features):
    """Announces these besides its own, with its next presence."""
    disco = client.xmpp["xep_0030"]
    for feature in CAN:
        await disco.del_feature(feature=feature)
    for feature in features:
        await disco.add_feature(feature)
    await client.xmpp["xep_0115"].update_caps(broadcast=False)


async def comes(world, label, features, priority=-1):
    client = world.alices(label, plugins=("xep_0115",))
    await client.login()
    await can(client, features)
    client.xmpp.send_presence(ppriority=priority)
    await client.until_presence(lambda p: p.get("from") == client.jid)
    return client


def of_alice(world, bob):
    """Her presences that bob got."""
    return [e for e in bob.stanzas if stanza.is_presence(e)
            and stanza.bare(e.get("from")) == world.alice]


def watch(bob):
    """What bob's library says of each hash that it asked for."""
    verdicts = []
    caps = bob.xmpp["xep_0115"]
    validate = caps._validate_caps

    async def validated(info, hash, ver):
        verdicts.append((ver, await validate(info, hash, ver)))
        bob.bell.ring()
        return verdicts[-1][1]
    caps._validate_caps = validated
    return verdicts


async def until_can(world, bob, features, limit=20):
    """Until bob's library holds that she can do just these of them all."""
    caps = bob.xmpp["xep_0115"]

    def cached():
        ver = of_alice(world, bob)[-1].find(CAPS).get("ver")
        info = caps.cache.retrieve(ver)
        return {f for f in info["features"] if f in CAN} if info else None
    await bob.until(lambda: cached() == set(features), limit,
                    lambda: "bob holds that alice can %s, not %s"
                    % (cached(), features))


@case()
async def caps_verify(world, count):
    """bob's library verifies what alice's clients can do as they come and go"""
    bob = world.on_server(world.bob_name, "bob", plugins=("xep_0115",))
    await bob.login()
    verdicts = watch(bob)
    await bob.come()
    known = set(CAN[:1])
    await comes(world, "anchor", known, priority=5)
    await until_can(world, bob, known)
    draw = random.Random(4)
    start = len(of_alice(world, bob))
    # What a client could do stays for ten minutes, so that all of it grows.
    there, changes = {}, 0
    for _ in range(24):
        label = "c%d" % draw.randrange(4)
        features = draw.sample(CAN, draw.randrange(3))
        client = there.pop(label, None)
        if client and draw.random() < 0.5:
            await client.close()
        elif client:
            await can(client, features)
            client.xmpp.send_presence(ppriority=-1)
            there[label] = client
        else:
            there[label] = await comes(world, label, features)
        if label in there:
            changes += not known >= set(features)
            known |= set(features)
        await until_can(world, bob, known)
    check(all(good for _, good in verdicts), "bob's verdicts: %s" % verdicts)
    check(len(verdicts) > 3, "bob asked %d times" % len(verdicts))
    seen = of_alice(world, bob)[start:]
    check(len(seen) <= changes, "%d presences for %d changes"
          % (len(seen), changes))


def nicks(client):
    """What it was told of nicknames: (publisher, nickname)."""
    return [(e.get("from"), nick.text) for e in client.stanzas
            for nick in e.iterfind("%sevent//{%s}nick" % (EVENT, NICK))]


async def publish(client, nick):
    answer = await client.iq(
        "set", "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
        "<publish node='%s'><item id='current'><nick xmlns='%s'>%s</nick>"
        "</item></publish></pubsub>" % (NICK, NICK, nick))
    check(answer.get("type") == "result", stanza.text(answer))


async def until_nick(client, publisher, nick):
    await client.until(lambda: (publisher, nick) in nicks(client), 20,
                       lambda: "%s hears of %s's nickname; it heard %s"
                       % (client.label, publisher, nicks(client)))


@case()
async def notified(world, count):
    """nicknames (PEP) reach the clients that ask for them, also late ones"""
    bob = world.on_server(world.bob_name, "bob", plugins=("xep_0115",))
    await bob.login()
    await can(bob, [])
    bob.xmpp.send_presence()
    deaf = await comes(world, "deaf", [], priority=5)
    asks = await comes(world, "asks", [NICK + "+notify"])
    await bob.until_presence(
        lambda p: stanza.bare(p.get("from")) == world.alice)

    async def heard():
        await publish(bob, "Bobby")
        return (world.bob, "Bobby") in nicks(asks)
    # What comes before the server has asked for what she can do is for nobody.
    await poll(heard, 20, "asks hears of bob's nickname")
    await publish(asks, "Al")
    await until_nick(asks, world.alice, "Al")
    # It is off, and bob goes on; then it is back, and another comes.
    await asks.close()
    await publish(bob, "Rob")
    await bob.barrier(world.alice)      # the proxy has it
    again = await comes(world, "asks", [NICK + "+notify"])
    late = await comes(world, "late", [NICK + "+notify"])
    for client in again, late:
        await until_nick(client, world.bob, "Rob")
        await until_nick(client, world.alice, "Al")
        check((world.bob, "Bobby") not in nicks(client),
              "%s hears of what was" % client.label)
    await deaf.barrier()
    check(not nicks(deaf), "a client that did not ask: %s" % nicks(deaf))


def bookmark_events(client):
    """(bookmark, its name) in order; None: it was taken back."""
    return [(e.get("id"), e[0].get("name") if len(e) else None)
            for s in client.stanzas
            for e in s.iterfind("%sevent/%sitems" % (EVENT, EVENT))
            if e.get("node") == BOOKMARKS
            for e in e if e.tag in (EVENT + "item", EVENT + "retract")]


async def bookmark(world, client, room, name):
    """Published with that name, or retracted."""
    options = OPTIONS if world.server.name != "ejabberd" else ""
    done = ("<publish node='{0}'><item id='{1}'><conference xmlns='{0}' "
            "name='{2}'/></item></publish>{3}" if name else
            "<retract node='{0}' notify='true'><item id='{1}'/></retract>")
    answer = await client.iq(
        "set", "<pubsub xmlns='http://jabber.org/protocol/pubsub'>%s</pubsub>"
        % done.format(BOOKMARKS, room, name, options))
    check(answer.get("type") == "result", stanza.text(answer))


@case()
async def bookmarked(world, count):
    """bookmarks that changed while the server was lost reach who asks"""
    desk = await comes(world, "desk", [BOOKMARKS + "+notify"])
    direct = world.on_server(world.alice_name, "direct")
    await direct.login()

    async def heard():
        await bookmark(world, direct, "one@rooms.example", "one")
        return bookmark_events(desk)
    # What comes before the server has asked for what she can do is for nobody.
    await poll(heard, 20, "desk hears of a bookmark")
    await bookmark(world, direct, "two@rooms.example", "two")
    both = [("one@rooms.example", "one"), ("two@rooms.example", "two")]
    await desk.until(lambda: bookmark_events(desk) == both, 20,
                     lambda: "desk hears of two: %s" % bookmark_events(desk))
    # The proxy hears nothing until all is other than it was.
    os.kill(world.proxy.process.pid, signal.SIGSTOP)
    await world.server.stop()
    await world.server.start()
    direct = world.on_server(world.alice_name, "direct")
    await direct.login()
    await bookmark(world, direct, "one@rooms.example", None)
    await bookmark(world, direct, "two@rooms.example", "another two")
    await bookmark(world, direct, "three@rooms.example", "three")
    os.kill(world.proxy.process.pid, signal.SIGCONT)
    wanted = [("one@rooms.example", None), ("three@rooms.example", "three"),
              ("two@rooms.example", "another two")]
    await desk.until(lambda: sorted(bookmark_events(desk)[2:]) == wanted, 30,
                     lambda: "desk hears of three: %s" % bookmark_events(desk))
