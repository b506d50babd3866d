"""The proxy is killed, or stopped, and started again."""

from lib import stanza
from lib.case import case
from lib.strophe import StropheClient
from lib.wait import check
from test_messages import compare
from test_outage import link_is_lost, reaches_server
from test_presence import change_roster, pushes, seen_of, until_seen

MANAGED = ("xep_0198",)
BURST = 20


async def managed(world, node=False):
    """Clients that resume: desk on slixmpp, with carbons; term on libstrophe."""
    desk = world.alices("desk", plugins=MANAGED, node=node)
    term = world.alices("term", StropheClient, node=node)
    for client in desk, term:
        await client.login()
        await client.come(carbons=client is desk)
    return desk, term


def presences_of(watcher, jid, since):
    return [stanza.text(e) for e in watcher.stanzas[since:]
            if e.tag == stanza.CLIENT + "presence"
            and stanza.bare(e.get("from")) == jid]


async def restart(world, end):
    """Clients go on where they were; nobody outside notices."""
    bob, carol = await world.bob_comes(), await world.carol_comes()
    desk, term = clients = await managed(world)
    for client in clients:
        for jid in bob.jid, carol.jid:
            await client.until_presence(lambda p: p.get("from") == jid)
    await until_seen(bob, world.alice, True, None)
    at_bob = len(bob.stanzas)
    since = {c: len(c.stanzas) for c in clients}

    burst = {c: ["%d of %s" % (i, c.label) for i in range(BURST)]
             for c in clients}
    for client in clients:
        for body in burst[client]:
            client.say(bob.bare, body)
    # What a library has not written by then it loses by itself.
    await desk.until_body(burst[term][-1])
    await term.until_body(burst[desk][-1])
    # Some of this is on its way, and nothing of the above acknowledged.
    bodies = ["before %d" % i for i in range(BURST)]
    for body in bodies:
        bob.say(world.alice, body)
    await end()
    for client in clients:
        await client.until(lambda: not client.is_up, 20,
                           "%s notices" % client.label)

    direct = world.on_server(world.alice_name, "direct")    # not available
    await direct.login()
    await change_roster(direct, world.carol, name="Caroline")
    await direct.close()
    await carol.close()
    for i in range(BURST):
        bodies.append("meanwhile %d" % i)
        bob.say(world.alice, bodies[-1])
    await bob.barrier()

    await world.proxy.start()
    for client in clients:
        await client.resume()
    bob.say(world.alice, "end")
    bodies.append("end")
    for client in clients:
        await client.until_body("end")
        client.say(bob.bare, "end of " + client.label)
        burst[client].append("end of " + client.label)
    for client in clients:
        await bob.until_body("end of " + client.label)
        await client.until_body("end of " + next(
            c for c in clients if c is not client).label)
    for client in clients:
        await client.until_presence(
            lambda p: p.get("from") == carol.jid
            and p.get("type") == "unavailable", what="carol's end",
            since=since[client])
        await client.until(
            lambda: pushes(client, world.carol), 20,
            "%s gets the roster push" % client.label)
        check([push[1] for push in pushes(client, world.carol)]
              == ["Caroline"], "%s: %s" % (client.label,
                                           pushes(client, world.carol)))
        got = [d for d in client.deliveries if d.how == "plain"]
        compare(client.label, [d.body for d in got], bodies)
        told = [d.body for d in client.deliveries if d.how != "plain"]
        compare(client.label + " about its sibling", told,
                [b for c in clients if c is not client for b in burst[c]])
        compare("bob from " + client.label,
                [d.body for d in bob.deliveries
                 if d.body in set(burst[client])], burst[client])
        check(seen_of(client, world.bob, since[client])
              in ([], [(True, None)]), "%s: bob flaps: %s" % (
                  client.label, seen_of(client, world.bob, since[client])))
        check(client.logins == 1, "%s logged in again" % client.label)
    check(presences_of(bob, world.alice, at_bob) == [],
          "bob was told %s" % presences_of(bob, world.alice, at_bob))


@case(store=True, knows_carol=True)
async def proxy_killed(world, count):
    """the proxy is killed: clients with XEP-0198 go on, bob sees nothing of it"""
    await restart(world, world.proxy.process.kill)


@case(store=True, knows_carol=True)
async def proxy_stopped(world, count):
    """the same where it is stopped by SIGTERM"""
    await restart(world, world.proxy.stop)


@case(servers=("prosody", "prosody-old", "ejabberd"), store=True)
async def outbox_kept(world, count):
    """what is sent while the server is down survives the proxy's end, too"""
    bob = await world.bob_comes()
    desk = world.alices("desk")
    await desk.login()
    await desk.come()
    await world.server.stop()
    await link_is_lost(world)
    bodies = ["while it is away %d" % i for i in range(BURST)]
    for body in bodies:
        desk.say(bob.bare, body)
    await desk.barrier()        # the proxy has answered: it has them
    await world.proxy.process.kill()
    await world.proxy.start()
    await world.server.start()
    desk = world.alices("desk")
    await desk.login()
    await desk.come()
    await reaches_server(desk)
    await bob.login()
    await bob.come()
    desk.say(bob.bare, "end")
    await bob.until_body("end")
    compare("bob", [d.body for d in bob.deliveries], bodies + ["end"])
    for got in bob.deliveries[:-1]:
        check(got.delay is not None, "without its time: %r" % got)
