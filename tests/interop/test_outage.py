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


class Load:
    """What some clients write to somebody, for as long as it goes on."""

    def __init__(self, to, *clients):
        self.sent = {c: [] for c in clients}    # the bodies
        self._to = to
        self._tasks = []

    async def _write(self, client):
        while True:
            sent = self.sent[client]
            sent.append("load %d of %s" % (len(sent), client.label))
            client.say(self._to, sent[-1])
            await asyncio.sleep(PACE)

    def go_on(self):
        self._tasks = [asyncio.ensure_future(self._write(c))
                       for c in self.sent]

    async def stop(self):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


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


def once(world, deliveries):
    """Where a server forgets its streams and has no archive, nobody can say
    what it got: then it is at least once, with the same id."""
    if world.server.has_archive:
        return deliveries
    return list({(d.id, d.body): d for d in deliveries}.values())


def missing(bob, load, away, may_lose):
    got = {d.body for d in bob.deliveries}
    return [body for sender, sent in load.sent.items()
            for body in wanted_of(bob, sent, away[sender], may_lose)
            if body not in got]


def check_load(world, bob, load, away, may_lose):
    """bob got what was sent, once and in order, also while the server was
    away. away: {sender: how many before that}"""
    for sender, sent in load.sent.items():
        got = [d.body for d in once(world, bob.deliveries)
               if d.body in set(sent)]
        compare("bob from " + sender.label, got,
                wanted_of(bob, sent, away[sender], may_lose))


async def link_is_lost(world):
    await poll(lambda: world.proxy.log_lines("event=upstream-retry"), 60,
               "the proxy has lost the server")


async def reaches_server(client):
    """Until the server has what the client sent so far. Unlike a ping, this
    is for the server to answer; while it is off, there is an error."""
    async def answers():
        answer = await client.iq(
            "get", "<query xmlns='http://jabber.org/protocol/disco#items'/>",
            to=client.jid.partition("@")[2].partition("/")[0])
        return answer.get("type") == "result"
    await poll(answers, 30, "the server answers %s" % client.label)


async def outage(world, stop, may_lose):
    bob = await world.bob_comes()
    desk, phone, term = clients = await world.three()
    for client in clients:
        await bob_is(client, bob.jid, None, 0)
    load = Load(bob.bare, desk, term)
    load.go_on()
    await bob.until_bodies(50, 20)
    since = [len(c.stanzas) for c in clients]
    await stop()
    await link_is_lost(world)
    away = {c: len(sent) for c, sent in load.sent.items()}
    told = len(phone.deliveries)
    await phone.until_bodies(told + 50, 20)     # also while nothing goes up
    await world.server.start()
    # Until then the stream might have gone on: nobody was told that bob is off.
    for client, n in zip(clients, since):
        await bob_is(client, bob.jid, "unavailable", n)
    since = [len(c.stanzas) for c in clients]
    # What comes to a server while it gives bob what it stored can overtake.
    await load.stop()
    for client in load.sent:
        await reaches_server(client)
    await bob.login()
    await bob.come()
    for client, n in zip(clients, since):
        await bob_is(client, bob.jid, None, n)
    await bob.until(
        lambda: not missing(bob, load, away, may_lose), 20, lambda:
        "bob gets %s" % missing(bob, load, away, may_lose)[:5])
    load.go_on()
    await bob.until_bodies(len(bob.deliveries) + 20, 20)
    await load.stop()
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
    check_load(world, bob, load, away, may_lose)
    for sender, sent in load.sent.items():
        compare("phone about " + sender.label,
                [d.body for d in phone.deliveries if d.body in set(sent)],
                sent)


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
    await reaches_server(desk)
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
