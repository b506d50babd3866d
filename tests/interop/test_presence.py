"""Presence and roster: one steady account for bob, all of it for clients."""

from lib import stanza
from lib.case import case
from lib.strophe import StropheClient
from lib.wait import check, poll


def seen_of(watcher, jid, since=0):
    """(available, show) as the watcher was told about a bare JID, in order,
    repetitions left out."""
    story = []
    for elem in watcher.stanzas[since:]:
        if stanza.is_presence(elem) and stanza.bare(elem.get("from")) == jid:
            now = stanza.availability(elem)
            if story[-1:] != [now]:
                story.append(now)
    return story


async def until_seen(watcher, jid, available, show):
    """Until that is what the watcher was told last."""
    await watcher.until(
        lambda: seen_of(watcher, jid)[-1:] == [(available, show)], 20,
        lambda: "%s sees %s as %s %s; it saw %s" % (
            watcher.label, jid, available, show, seen_of(watcher, jid)))


async def until_gone(client, full):
    """Until the client was told that its sibling is gone."""
    await client.until_presence(
        lambda p: p.get("from") == full and p.get("type") == "unavailable",
        what="unavailable from " + full)


@case()
async def steady(world, count):
    """bob sees alice's best presence, and no flap while clients come and go"""
    bob = await world.bob_comes()
    desk = world.alices("desk")
    await desk.login()
    await desk.come(priority=5)
    await until_seen(bob, world.alice, True, None)
    start = len(bob.stanzas)

    def asleep():
        return world.proxy.log_lines("event=session-asleep")
    for i in range(5):
        phone = world.alices("phone%d" % i)
        await phone.login()
        await phone.come(show="away", priority=0)
        term = world.alices("term%d" % i, StropheClient)
        await term.login()
        await term.come(show="xa", priority=1)
        await phone.close()
        term.cut()
        await until_gone(desk, phone.jid)
        # It could come back: libstrophe manages its stream (XEP-0198).
        await poll(lambda: len(asleep()) == i + 1, 20, "term is asleep")
    desk.send(stanza.presence(show="dnd", priority=5))
    await until_seen(bob, world.alice, True, "dnd")
    check(seen_of(bob, world.alice, start) == [(True, "dnd")],
          "bob saw a flap: %s" % seen_of(bob, world.alice, start))


@case()
async def last_one_leaves(world, count):
    """with nobody there alice stays on as xa, and comes back as she is"""
    bob = await world.bob_comes()
    desk, phone = world.alices("desk"), world.alices("phone")
    await desk.login()
    await desk.come(priority=5)
    await phone.login()
    await phone.come(show="away", priority=0)
    await until_seen(bob, world.alice, True, None)
    await desk.close()
    await until_seen(bob, world.alice, True, "away")
    phone.cut()
    await until_seen(bob, world.alice, True, "xa")
    desk = world.alices("desk")
    await desk.login()
    await desk.come(show="chat", priority=5)
    await until_seen(bob, world.alice, True, "chat")
    story = seen_of(bob, world.alice)
    while story and story[0] != (True, None):   # of before desk came
        story.pop(0)
    check(story == [(True, None), (True, "away"), (True, "xa"),
                    (True, "chat")], "bob saw %s" % story)


@case(user={"detached": "disconnect"})
async def disconnect_detached(world, count):
    """with detached="disconnect" the account goes off with its last client"""
    bob = await world.bob_comes()
    desk = world.alices("desk")
    await desk.login()
    await desk.come()
    await until_seen(bob, world.alice, True, None)
    await desk.close()
    await until_seen(bob, world.alice, False, None)
    desk = world.alices("desk")
    await desk.login()
    await desk.come()
    await until_seen(bob, world.alice, True, None)


async def late(world, node):
    bob = await world.bob_comes()
    phone = world.alices("phone", node=node)
    term = world.alices("term", StropheClient, node=node)
    for client in phone, term:
        await client.login()
        await client.come(show="away")
    await phone.until_presence(lambda p: p.get("from") == bob.jid)
    bob.send(stanza.presence(show="dnd"))
    await phone.until_presence(
        lambda p: p.get("from") == bob.jid
        and stanza.availability(p) == (True, "dnd"))
    desk = world.alices("desk", node=node)
    await desk.login()
    roster = await desk.come()
    check(list(roster) == [bob.bare]
          and roster[bob.bare].get("subscription") == "both",
          "desk's roster: %s" % list(roster))
    for jid in phone.jid, term.jid, bob.jid:
        await desk.until_presence(lambda p: p.get("from") == jid,
                                  what="presence of " + jid)
    told = [(e.get("from"), stanza.availability(e)) for e in desk.stanzas
            if stanza.is_presence(e)]
    check(told[0] == (desk.jid, (True, None)), "first came %s" % told[:1])
    wanted = {(desk.jid, (True, None)), (phone.jid, (True, "away")),
              (term.jid, (True, "away")), (bob.jid, (True, "dnd"))}
    check(set(told) == wanted, "desk was told %s" % told)
    if not world.direct:
        check(told[-1][0] == bob.jid and len(told) == len(wanted),
              "desk was told %s" % told)


@case(direct=True)
async def late_client(world, count):
    """a late client gets the roster, its siblings and its contacts"""
    await late(world, node=False)


@case()
async def late_client_node(world, count):
    """the same in node view"""
    await late(world, node=True)


@case(direct=True)
async def contact_leaves(world, count):
    """when bob goes, all clients are told"""
    bob = await world.bob_comes()
    clients = await world.three()
    for client in clients:
        await client.until_presence(lambda p: p.get("from") == bob.jid)
    await bob.close()
    for client in clients:
        await until_gone(client, bob.jid)


def pushes(client, jid):
    """[(subscription, name, id)] of the pushes about a contact."""
    return [(item.get("subscription"), item.get("name"), e.get("id"))
            for e in client.stanzas
            if e.tag == stanza.CLIENT + "iq" and e.get("type") == "set"
            for item in e.iter(stanza.ROSTER + "item")
            if item.get("jid") == jid]


async def change_roster(client, jid, **words):
    answer = await client.iq(
        "set", "<query xmlns='jabber:iq:roster'>%s</query>"
        % stanza.tag("item", {"jid": jid, **words}))
    check(answer.get("type") == "result", stanza.text(answer))


@case(direct=True)
async def roster_pushes(world, count):
    """a change of the roster by one client is pushed to all, once"""
    desk, phone, term = clients = await world.three()
    await change_roster(desk, world.carol, name="Carol")
    await change_roster(phone, world.carol, name="Caroline")
    await change_roster(term, world.carol, subscription="remove")
    for client in clients:
        await client.until(
            lambda: len(pushes(client, world.carol)) >= 3, 20,
            lambda: "%s gets three pushes; it has %s"
            % (client.label, pushes(client, world.carol)))
    for client in clients:
        await client.barrier()
        got = pushes(client, world.carol)
        check([g[:2] for g in got[:2]] == [("none", "Carol"),
                                           ("none", "Caroline")]
              and got[2][0] == "remove" and len(got) == 3,
              "%s: %s" % (client.label, got))
        check(len({g[2] for g in got}) == 3, "ids twice: %s" % got)
    late = world.alices("late")
    await late.login()
    check(list(await late.fetch_roster()) == [world.bob], "late's roster")


@case(direct=True)
async def subscription(world, count):
    """a request to subscribe reaches all clients; one answer settles it"""
    clients = await world.three()
    carol = world.on_server(world.carol_name, "carol")
    await carol.login()
    await carol.come()
    carol.send(stanza.presence(kind="subscribe", to=world.alice))
    for client in clients:
        await client.until_presence(
            lambda p: p.get("type") == "subscribe"
            and p.get("from") == carol.bare, what="carol's request")
    clients[1].send(stanza.presence(kind="subscribed", to=carol.bare))
    await carol.until_presence(
        lambda p: p.get("type") == "subscribed"
        and p.get("from") == world.alice, what="alice's answer")
    await carol.until_presence(
        lambda p: stanza.bare(p.get("from")) == world.alice
        and p.get("type") is None, what="alice's presence")
    for client in clients:
        await client.until(
            lambda: [g for g in pushes(client, carol.bare) if g[0] == "from"],
            20, "%s gets the push" % client.label)
    late = world.alices("late")
    await late.login()
    await late.come()
    await late.barrier()
    check(not [e for e in late.stanzas if e.get("type") == "subscribe"],
          "a late client is asked again")
