"""Clients of both views at once: one conversation, each under its own JIDs."""

from lib import stanza
from lib.case import case
from lib.strophe import StropheClient
from lib.wait import check
from test_messages import compare
from test_presence import change_roster, pushes, until_gone, until_seen


async def four(world):
    """Two in account view, two in node view; of each pair one has no
    carbons."""
    clients = []
    for node in False, True:
        view = "node" if node else "account"
        clients += [world.alices(view + "-desk", node=node),
                    world.alices(view + "-term", StropheClient, node=node)]
    for client in clients:
        await client.login()
        await client.come(carbons=client.kind == "slixmpp")
    return clients


def seen_as(client, other):
    """How a client sees the full JID of one of its siblings."""
    return "%s/%s" % (client.bare, stanza.resource(other.jid))


def check_question(client, got, bob):
    check(got.how == "plain" and got.frm == bob.jid and
          stanza.bare(got.to) == client.bare, "%s: %r" % (client.label, got))


def check_copy(client, got, sender, bob):
    if client.has_carbons:
        check(got.how == "sent" and got.outer_from == client.bare
              and got.frm == seen_as(client, sender) and got.to == bob.bare,
              "%s: %s" % (client.label, stanza.text(got.elem)))
    else:
        check(got.how == "note" and got.frm == bob.bare
              and stanza.bare(got.to) == client.bare,
              "%s: %s" % (client.label, stanza.text(got.elem)))


def strangers(world, client):
    """What it was told in which the other view's JID stands."""
    other = world.alice if client.bare == world.alice_in_node else \
        world.alice_in_node
    return [stanza.text(e) for e in client.stanzas if other in stanza.text(e)]


@case()
async def four_talk(world, count):
    """two clients of each view: one conversation, each under its own JIDs"""
    bob = await world.bob_comes()
    clients = await four(world)
    for number in range(10):
        question = "question %d" % number
        bob.say(world.alice, question)
        for client in clients:
            check_question(client, await client.until_body(question), bob)
        for sender in clients:
            body = "answer %d of %s" % (number, sender.label)
            id = sender.say(bob.bare, body)
            got = await bob.until_body(body)
            check(stanza.bare(got.frm) == world.alice and got.id == id,
                  "bob: %r" % got)
            for client in clients:
                if client is not sender:
                    check_copy(client, await client.until_body(body), sender,
                               bob)
    wanted = [d.body for d in bob.deliveries]
    for client in clients:
        compare(client.label, [d.body for d in client.deliveries],
                told(wanted, client))
        check(not strangers(world, client),
              "%s sees the other view: %s"
              % (client.label, strangers(world, client)[:1]))
    check(world.alice_in_node not in "".join(map(stanza.text, bob.stanzas)),
          "bob sees the node")


def told(answers, client):
    """All of the conversation that this client did not say."""
    rounds = len(answers) // 4
    said = []
    for number in range(rounds):
        said.append("question %d" % number)
        said += [a for a in answers[4 * number:4 * number + 4]
                 if not a.endswith(" of " + client.label)]
    return said


@case()
async def four_and_direct(world, count):
    """what passes the proxy by is seen by both views under their JIDs, too"""
    bob = await world.bob_comes()
    clients = await four(world)
    direct = world.on_server(world.alice_name, "direct")
    await direct.login()
    await direct.come(carbons=True, priority=-1)
    direct.say(bob.bare, "past the proxy")
    for client in clients:
        check_copy(client, await client.until_body("past the proxy"), direct,
                   bob)
    bob.say(direct.jid, "back the same way")
    for client in clients:
        got = await client.until_body("back the same way")
        as_copy = "received", seen_as(client, direct), client.bare
        check(got.frm == bob.jid, "%s: %r" % (client.label, got))
        check((got.how, got.to, got.outer_from) == as_copy
              if client.has_carbons else got.how == "plain",
              "%s: %s" % (client.label, stanza.text(got.elem)))
    clients[0].say(bob.bare, "end")
    await direct.until_body("end")
    compare("direct", [d.body for d in direct.deliveries],
            ["back the same way", "end"])
    for client in clients:
        check(not strangers(world, client),
              "%s sees the other view: %s"
              % (client.label, strangers(world, client)[:1]))


@case()
async def four_present(world, count):
    """presence and roster pushes are the same for clients of both views"""
    bob = await world.bob_comes()
    clients = await four(world)
    for client in clients:
        for sibling in clients:
            full = seen_as(client, sibling)
            await client.until_presence(
                lambda p: p.get("from") == full and p.get("type") is None,
                what="presence of " + full)
        await until_seen(client, bob.bare, True, None)
    bob.send(stanza.presence(show="dnd"))
    clients[0].send(stanza.presence(show="chat", priority=5))
    for client in clients:
        await until_seen(client, bob.bare, True, "dnd")
        full = seen_as(client, clients[0])
        await client.until_presence(
            lambda p: p.get("from") == full
            and stanza.availability(p) == (True, "chat"),
            what="chat of " + full)
    await until_seen(bob, world.alice, True, "chat")

    await change_roster(clients[0], world.carol, name="Carol")
    await change_roster(clients[3], world.carol, name="Caroline")
    await change_roster(clients[1], world.carol, subscription="remove")
    wanted = [("none", "Carol"), ("none", "Caroline"), ("remove", None)]
    for client in clients:
        await client.until(
            lambda: [p[:2] for p in pushes(client, world.carol)] == wanted,
            20, lambda: "%s: %s" % (client.label,
                                    pushes(client, world.carol)))

    await clients[2].close()
    for client in clients[:2] + clients[3:]:
        await until_gone(client, seen_as(client, clients[2]))
    await bob.close()
    for client in clients[:2] + clients[3:]:
        await until_seen(client, bob.bare, False, None)
        check(not strangers(world, client),
              "%s sees the other view: %s"
              % (client.label, strangers(world, client)[:1]))
