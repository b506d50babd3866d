"""The server goes away and comes back; the clients stay where they are."""

import asyncio

from lib import stanza
from lib.case import case
from lib.wait import check, poll
from test_messages import compare

PACE = 0.02
# What the limit is set to, and how many more are sent.
OUTBOX = 20
BEYOND = 10


async def load(client, bob, sent):
    """Sends for as long as it is not cancelled; sent gets the bodies."""
    while True:
        sent.append("load %d of %s" % (len(sent), client.label))
        client.say(bob, sent[-1])
        await asyncio.sleep(PACE)


def errors_of(client):
    """{id of a message: the conditions of the errors that came for it}"""
    found = {}
    for elem in client.stanzas:
        if elem.tag == stanza.CLIENT + "message" and \
                elem.get("type") == "error":
            found.setdefault(elem.get("id"), []).append(
                [c.tag.partition("}")[2]
                 for c in elem.find(stanza.CLIENT + "error")])
    return found


async def bob_is(client, bob, kind, since):
    await client.until_presence(
        lambda p: p.get("from") == bob and p.get("type") == kind, 60,
        "bob %s" % (kind or "available"), since)


def wanted_of(bob, sent, away, may_lose):
    """What bob is to get of one sender: all, but for what a killed server may
    have taken with it."""
    if not may_lose:
        return sent
    got = {d.body for d in bob.deliveries}
    return [body for body in sent[:away] if body in got] + sent[away:]


async def check_load(bob, loads, may_lose):
    """bob got what was sent, once and in order, also while the server was
    away. loads: {sender: (bodies, how many before the server was away)}"""
    def missing():
        got = {d.body for d in bob.deliveries}
        return [b for sent, away in loads.values()
                for b in wanted_of(bob, sent, away, may_lose) if b not in got]
    count = len(missing())
    if count:
        # What comes to a server at the very moment at which bob does can stay
        # in its store for him until he comes again. Then it is late.
        bob.send(stanza.presence(kind="unavailable"))
        bob.send(stanza.presence())
        await bob.until(lambda: not missing(), 10,
                        lambda: "bob gets %s" % missing()[:5])
    for sender, (sent, away) in loads.items():
        got = [d.body for d in bob.deliveries if d.body in set(sent)]
        wanted = wanted_of(bob, sent, away, may_lose)
        if count:
            got, wanted = sorted(got), sorted(wanted)
        compare("bob from " + sender.label, got, wanted)


async def link_is_lost(world):
    await poll(lambda: world.proxy.log_lines("event=upstream-retry"), 60,
               "the proxy has lost the server")


async def outage(world, stop, may_lose):
    bob = await world.bob_comes()
    desk, phone, term = clients = await world.three()
    for client in clients:
        await bob_is(client, bob.jid, None, 0)
    sent = {desk: [], term: []}
    loads = [asyncio.ensure_future(load(c, bob.bare, sent[c])) for c in sent]
    await bob.until_bodies(50, 20)
    since = [len(c.stanzas) for c in clients]
    await stop()
    await link_is_lost(world)
    away = {c: len(sent[c]) for c in sent}
    told = len(phone.deliveries)
    await phone.until_bodies(told + 50, 20)     # also while nothing goes up
    await world.server.start()
    # Until then the stream might have gone on: nobody was told that bob is off.
    for client, n in zip(clients, since):
        await bob_is(client, bob.jid, "unavailable", n)
    since = [len(c.stanzas) for c in clients]
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
    await check_load(bob, {c: (sent[c], away[c]) for c in sent}, may_lose)
    for sender in sent:
        compare("phone about " + sender.label,
                [d.body for d in phone.deliveries
                 if d.body in set(sent[sender])], sent[sender])


@case(seconds=90)
async def server_restart(world, count):
    """the server stops and starts under load: clients stay, nothing is lost"""
    await outage(world, world.server.stop, may_lose=False)


@case(seconds=90, begin=False)
async def server_killed(world, count):
    """the server is killed and starts under load: clients stay"""
    # ejabberd writes what it knows some seconds later: a new roster would be
    # lost with it.
    await world.begin(run=False)
    await world.server.stop()
    await world.server.start()
    await world.proxy.start()
    await outage(world, world.server.process.kill, may_lose=True)


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


@case(begin=False)
async def outbox_full(world, count):
    """what outbox-entries hold goes up once; what is beyond is refused"""
    await world.begin(limits={"outbox_entries": OUTBOX})
    bob = await world.bob_comes()
    desk, phone, term = clients = await world.three()
    await bob_is(desk, bob.jid, None, 0)
    await world.server.stop()
    await link_is_lost(world)
    bodies = ["message %d" % i for i in range(OUTBOX + BEYOND)]
    ids = [desk.say(bob.bare, body) for body in bodies]
    await desk.until(lambda: len(errors_of(desk)) >= BEYOND, 20,
                     lambda: "errors: %s" % errors_of(desk))
    await phone.until_bodies(OUTBOX, 20)
    await world.server.start()
    await poll(lambda: len(world.proxy.log_lines("event=upstream-up")) > 1, 30,
               "the proxy is back")
    # All is in the server's store then; see check_load for what else could be.
    await desk.barrier()
    await bob.login()
    await bob.come()
    await bob.until_bodies(OUTBOX, 20)
    desk.say(bob.bare, "end")
    for client in bob, phone, term:
        await client.until_body("end")
        compare(client.label, [d.body for d in client.deliveries],
                bodies[:OUTBOX] + ["end"])
    errors = errors_of(desk)
    compare("desk's errors", list(errors), ids[OUTBOX:])
    for id, conditions in errors.items():
        check(len(conditions) == 1 and "resource-constraint" in conditions[0],
              "%s: %s" % (id, conditions))
    for client in clients:
        check(client.logins == 1, "%s logged in again" % client.label)
