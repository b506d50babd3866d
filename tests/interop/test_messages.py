"""Messages: each reaches everybody once, in order, and in the right form."""

import asyncio
from datetime import datetime, timezone

from lib import stanza
from lib.case import case
from lib.strophe import StropheClient
from lib.wait import check


def compare(who, got, wanted):
    """Two lists that have to be equal; says what is missing, double, astray."""
    if got == wanted:
        return
    missing = [x for x in wanted if x not in set(got)]
    double = sorted({x for x in got if got.count(x) > 1})
    strange = [x for x in got if x not in set(wanted)]
    at = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), 0)
    check(False, "%s: %d, not %d. Missing: %s; double: %s; strange: %s%s" % (
        who, len(got), len(wanted), missing[:5], double[:5], strange[:5],
        "" if missing or double or strange else
        "; the order is wrong: %s, not %s" % (got[at:at + 5],
                                              wanted[at:at + 5])))


async def bob_to(bob, jid, clients, count, seconds):
    """bob sends count messages; all get all, then one more as the end."""
    bodies = ["message %d of bob" % i for i in range(count)]
    sent = [bob.say(jid, body) for body in bodies]
    bob.say(jid, "end")
    for client in clients:
        await client.until_bodies(count + 1, seconds)
    for client in clients:
        compare(client.label, [d.body for d in client.deliveries],
                bodies + ["end"])
        compare(client.label + "'s ids",
                [d.id for d in client.deliveries][:-1], sent)
        for got in client.deliveries:
            check(got.how == "plain" and got.frm == bob.jid
                  and stanza.bare(got.to) == client.bare,
                  "%s: %r" % (client.label, got))


@case(direct=True)
async def bob_to_all(world, count):
    """each message of bob reaches all three clients once, in order"""
    bob = await world.bob_comes()
    clients = await world.three()
    await bob_to(bob, world.alice, clients, count, count)


@case()
async def bob_to_all_node(world, count):
    """the same in node view"""
    bob = await world.bob_comes()
    clients = await world.three(node=True)
    await bob_to(bob, world.alice, clients, count // 10, count)


@case()
async def bob_to_both_views(world, count):
    """clients of both views at once get each message of bob"""
    bob = await world.bob_comes()
    clients = [world.alices("account"), world.alices("node", node=True),
               world.alices("term", StropheClient, node=True)]
    for client in clients:
        await client.login()
        await client.come(carbons=client.kind == "slixmpp")
    await bob_to(bob, world.alice, clients, count // 10, count)


def check_copy(client, got, sender, bob):
    """The form of what a sibling was told about a message of the sender."""
    who = "%s about %s's" % (client.label, sender.label)
    if got.how == "sent":
        check(got.outer_from == client.bare and got.frm == sender.jid
              and stanza.bare(got.to) == bob.bare,
              "%s: %s" % (who, stanza.text(got.elem)))
        return
    names = sorted(child.tag.partition("}")[2] for child in got.elem)
    check(got.frm == bob.bare and names == ["body"]
          and got.elem.get("type") == "chat",
          "%s: %s" % (who, stanza.text(got.elem)))


def check_sibling(client, senders, bodies, ids, bob, mirrors_notes):
    """Got everything of the others once, in their order; nothing of its own
    but the answer at the end."""
    how = "sent" if client.has_carbons else "note"
    told = [d for d in client.deliveries if d.how != "plain"]
    if how == "note" and not mirrors_notes:
        check(not told, "%s: %s" % (client.label, told[:3]))
        return
    for sender in senders:
        mine = [d for d in told if d.body in set(bodies[sender])]
        if sender is client:
            check(not mine, "%s gets its own back: %s"
                  % (client.label, mine[:3]))
            continue
        compare("%s about %s" % (client.label, sender.label),
                [d.body for d in mine], bodies[sender])
        for got in mine:
            check(got.how == how, "%s: %r" % (client.label, got))
            check_copy(client, got, sender, bob)
        if how == "sent":
            compare("%s's ids of %s" % (client.label, sender.label),
                    [d.id for d in mine], ids[sender])
        else:
            check(not set(d.id for d in mine) & set(ids[sender]),
                  "a note has the id of the message")
    check(len(told) == sum(len(bodies[s]) for s in senders
                           if s is not client),
          "%s is told too much: %s" % (client.label, told[-3:]))


async def all_to_bob(world, bob, clients, count, seconds):
    """Each client sends its share at the same time as the others."""
    share = count // len(clients)
    bodies = {c: ["message %d of %s" % (i, c.label) for i in range(share)]
              for c in clients}
    ids = {c: [] for c in clients}
    for i in range(share):
        for client in clients:
            ids[client].append(client.say(bob.bare, bodies[client][i]))
        # Lets what came meanwhile be read, as in a client.
        await asyncio.sleep(0)
    await bob.until_bodies(share * len(clients), seconds)
    bob.say(world.alice, "end")
    for client in clients:
        await client.until_body("end", seconds)
    for sender in clients:
        compare("bob from " + sender.label,
                [d.body for d in bob.deliveries
                 if d.body.endswith(" of " + sender.label)], bodies[sender])
        compare("bob's ids from " + sender.label,
                [d.id for d in bob.deliveries
                 if d.body.endswith(" of " + sender.label)], ids[sender])
        check_sibling(sender, clients, bodies, ids, bob, not world.direct)
    check(all(stanza.bare(d.frm) == world.alice for d in bob.deliveries),
          "bob sees strange senders")


@case(direct=True)
async def all_to_bob_and_all(world, count):
    """each message of a client reaches bob once and the others once, by form"""
    bob = await world.bob_comes()
    clients = await world.three()
    await all_to_bob(world, bob, clients, count, count)


@case()
async def all_to_bob_node(world, count):
    """the same in node view"""
    bob = await world.bob_comes()
    clients = await world.three(node=True)
    await all_to_bob(world, bob, clients, count // 10, count)


@case(servers=("prosody-old",))
async def old_server(world, count):
    """a server without carbons, archive and stream management is enough"""
    bob = await world.bob_comes()
    clients = await world.three()
    await bob_to(bob, world.alice, clients, count // 10, count)
    for client in [bob] + clients:
        client.deliveries.clear()
    await all_to_bob(world, bob, clients, count // 10, count)


@case(user={"mirror": "off"})
async def no_notes(world, count):
    """with mirror="off" a client without carbons is told nothing"""
    bob = await world.bob_comes()
    desk, phone, term = await world.three()
    desk.say(bob.bare, "quiet")
    await bob.until_body("quiet")
    bob.say(world.alice, "end")
    for client in phone, term:
        await client.until_body("end")
    check([d.body for d in term.deliveries] == ["end"],
          "term: %s" % term.deliveries)
    check([d.how for d in phone.deliveries] == ["sent", "plain"],
          "phone: %s" % phone.deliveries)


@case()
async def other_device(world, count):
    """what a device straight on the server sends, all clients are told"""
    bob = await world.bob_comes()
    clients = await world.three()
    direct = world.on_server(world.alice_name, "direct")
    await direct.login()
    await direct.come(carbons=True, priority=-1)
    bodies = ["message %d past the proxy" % i for i in range(20)]
    for body in bodies:
        direct.say(bob.bare, body)
    for client in clients:
        await client.until_bodies(20, 20)
    clients[0].say(bob.bare, "end")
    for client in [bob, direct] + clients[1:]:
        await client.until_body("end")
    for client in clients:
        how = "sent" if client.has_carbons else "note"
        compare(client.label, [d.body for d in client.deliveries
                               if d.body != "end"], bodies)
        check(all(d.how == how for d in client.deliveries),
              "%s: %s" % (client.label, client.deliveries[:3]))
    compare("direct", [d.body for d in direct.deliveries], ["end"])


@case(direct=True)
async def first_receipt(world, count):
    """of three receipts for a message bob gets the first only"""
    bob = await world.bob_comes()
    clients = await world.three()
    ids = [bob.say(world.alice, "message %d" % i,
                   extra="<request xmlns='urn:xmpp:receipts'/>")
           for i in range(50)]
    for client in clients:
        await client.until_bodies(50, 20)
        for got in client.deliveries[:50]:
            client.send(stanza.receipt(bob.jid, "r-%s-%s" % (
                client.label, got.id), got.id))
        client.say(bob.jid, "end of " + client.label)
    for client in clients:
        await bob.until_body("end of " + client.label)
    got = [e.find(stanza.RECEIPT + "received").get("id") for e in bob.stanzas
           if e.find(stanza.RECEIPT + "received") is not None]
    if world.direct:
        compare("bob's receipts", sorted(got), sorted(3 * ids))
    else:
        compare("bob's receipts", got, ids)


def check_delay(got, world):
    check(got.how == "plain", "not as itself: %r" % got)
    check(got.delay is not None, "no delay: %r" % got)
    stamp = got.delay.get("stamp")
    check(stamp.endswith("Z"), "not in UTC: %s" % stamp)
    time = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    age = (datetime.now(timezone.utc) - time).total_seconds()
    check(-2 < age < 300, "strange time: %s" % stamp)
    check(got.delay.get("from") in (None, world.alice, world.server.domain),
          "delay from %s" % got.delay.get("from"))


@case(direct=True)
async def nobody_there(world, count):
    """what comes while no client is there, the next gets with its time"""
    bob = await world.bob_comes()
    first = world.alices("first")
    await first.login()
    await first.come()
    await first.close()
    bodies = ["while nobody is there %d" % i for i in range(50)]
    for body in bodies:
        bob.say(world.alice, body)
    # Without a proxy alice is not there to answer.
    await bob.barrier(None if world.direct else world.alice)
    desk = world.alices("desk")
    await desk.login()
    await desk.come(carbons=True)
    await desk.until_bodies(50, 20)
    bob.say(world.alice, "now")
    await desk.until_body("now")
    compare("desk", [d.body for d in desk.deliveries], bodies + ["now"])
    for got in desk.deliveries[:-1]:
        check_delay(got, world)
    check(desk.deliveries[-1].delay is None, "now is delayed")


@case(direct=True)
async def message_to_nobody(world, count):
    """the error for a message comes to its sender, with its id"""
    desk, phone, term = await world.three()
    id = desk.say("nobody-there@" + world.server.domain, "is anybody there?")

    def errors(client):
        return [e for e in client.stanzas
                if e.tag == stanza.CLIENT + "message"
                and e.get("type") == "error"]
    await desk.until(lambda: errors(desk), 20, "an error for desk")
    check([e.get("id") for e in errors(desk)] == [id], "another id")
    await term.barrier()
    check(not errors(term), "term has the error too")


