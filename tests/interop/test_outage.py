"""The server goes away and comes back; the clients stay where they are."""

import asyncio

from lib import stanza
from lib.case import case
from lib.wait import check
from test_messages import compare

PACE = 0.005


async def load(client, bob, sent):
    """Sends for as long as it is not cancelled; sent gets the bodies."""
    while True:
        sent.append("load %d of %s" % (len(sent), client.label))
        client.say(bob, sent[-1])
        await asyncio.sleep(PACE)


async def bob_is(client, bob, kind, since):
    await client.until_presence(
        lambda p: p.get("from") == bob and p.get("type") == kind, 60,
        "bob %s" % (kind or "available"), since)


async def check_load(bob, sent, sender, stopped):
    """What was sent while the server was not there came once and in order;
    of what it may have got before it ended, nothing came is not an excuse
    for coming twice with another id."""
    got = [d for d in bob.deliveries if d.body.endswith(" of " + sender.label)
           and d.body.startswith("load")]
    first = {}
    for d in got:
        check(first.setdefault(d.body, d.id) == d.id,
              "twice with other ids: %r" % d)
    bodies = list(dict.fromkeys(d.body for d in got))
    compare("bob from %s" % sender.label, bodies, sent)
    late = set(sent[stopped:])
    compare("bob from %s since the server was away" % sender.label,
            [d.body for d in got if d.body in late], sent[stopped:])


async def outage(world, stop):
    bob = await world.bob_comes()
    clients = await world.three()
    desk, phone, term = clients
    for client in clients:
        await bob_is(client, bob.jid, None, 0)
    sent = {desk: [], term: []}
    loads = [asyncio.ensure_future(load(c, bob.bare, sent[c])) for c in sent]
    await bob.until_bodies(100, 20)
    since = [len(c.stanzas) for c in clients]
    await stop()
    for client, n in zip(clients, since):
        await bob_is(client, bob.jid, "unavailable", n)
    stopped = {c: len(sent[c]) for c in sent}
    await desk.until(lambda: len(phone.deliveries) > 300, 20,
                     "phone is told what goes out meanwhile")
    since = [len(c.stanzas) for c in clients]
    await world.server.start()
    await bob.login()
    await bob.come()
    for client, n in zip(clients, since):
        await bob_is(client, bob.jid, None, n)
    for task in loads:
        task.cancel()
    await asyncio.gather(*loads, return_exceptions=True)
    for client in clients:
        client.say(bob.bare, "end of " + client.label)
    for client in clients:
        await bob.until_body("end of " + client.label)
    bob.say(world.alice, "end")
    for client in clients:
        await client.until_body("end")
        check(client.logins == 1 and client.is_up and not client.ended,
              "%s logged in %d times, %s" % (client.label, client.logins,
                                             client.ended))
    for client in sent:
        await check_load(bob, sent[client], client, stopped[client])
    for sender in desk, term:
        compare("phone about " + sender.label,
                [d.body for d in phone.deliveries
                 if d.body.endswith(" of " + sender.label)
                 and d.body.startswith("load")], sent[sender])


@case(seconds=90)
async def server_restart(world, count):
    """the server stops and starts under load: clients stay, nothing is lost"""
    await outage(world, world.server.stop)


@case(seconds=90)
async def server_killed(world, count):
    """the server is killed and starts under load: clients stay"""
    await outage(world, world.server.process.kill)


@case(begin=False)
async def server_late(world, count):
    """the server comes up after the proxy and its clients"""
    await world.begin(run=False)
    await world.server.stop()
    await world.proxy.start()
    desk = world.alices("desk")
    await desk.login()
    id = desk.ask("get", "<query xmlns='jabber:iq:roster'/>")
    await world.server.start()
    await desk.until(lambda: desk.answers(id), 30, "a roster")
    items = [i.get("jid") for i in
             desk.answers(id)[0].iter(stanza.ROSTER + "item")]
    check(items == [world.bob], "roster: %s" % items)
    bob = await world.bob_comes()
    await desk.come()
    bob.say(world.alice, "at last")
    await desk.until_body("at last")
    check(desk.logins == 1, "logged in again")
