"""Blocking (XEP-0191): by the server, or by the proxy where that does not."""

from lib import stanza
from lib.case import case
from lib.wait import check, poll
from test_outage import errors_of, link_is_lost, reaches_server
from test_presence import until_seen

ALL = ("prosody", "prosody-old", "ejabberd")
SIGHT = ("xep_0191",)
BLOCKING = "urn:xmpp:blocking"


def blocked_in(answer):
    return {str(jid) for jid in answer["blocklist"]["items"]}


class Pushes:
    """What slixmpp is told of the list."""

    def __init__(self, client):
        self.all = []
        for name in "block", "unblock":
            client.xmpp.add_event_handler(
                name + "ed", lambda iq, name=name: self._take(
                    client, name, iq))

    def _take(self, client, name, iq):
        self.all.append((name, {str(jid) for jid in iq[name]["items"]}))
        client.bell.ring()

    async def until(self, client, wanted):
        await client.until(lambda: self.all == wanted, 20, lambda:
                           "%s is told %s; it is %s"
                           % (client.label, wanted, self.all))


async def two(world, node):
    """Clients that have asked for the list, and what they are told of it."""
    clients = []
    for label in "desk", "phone":
        client = world.alices(label, node=node, plugins=SIGHT)
        await client.login()
        await client.come()
        found = await client.xmpp["xep_0030"].get_info(
            jid=client.bare.partition("@")[2])
        check(BLOCKING in found["disco_info"]["features"], "not offered")
        listed = blocked_in(await client.xmpp["xep_0191"].get_blocked())
        check(listed == set(), "%s are blocked at first" % listed)
        clients.append((client, Pushes(client)))
    return clients


async def refused(client, to):
    id = client.say(to, "to somebody blocked")
    await client.until(lambda: id in errors_of(client), 20,
                       "%s: an error" % client.label)
    check(errors_of(client)[id][0][0] == "not-acceptable"
          and "blocked" in errors_of(client)[id][0],
          "errors: %s" % errors_of(client)[id])


async def is_blocked(world, bob, clients):
    """Nothing of bob reaches alice, and nothing of alice bob."""
    since = {c: len(c.stanzas) for c in clients}
    before = len(errors_of(bob))
    bob.say(world.alice, "of somebody blocked")
    bob.send(stanza.presence(show="dnd"))
    await bob.until(lambda: len(errors_of(bob)) > before, 20,
                    "bob has an error")
    check(list(errors_of(bob).values())[-1][0][0] == "service-unavailable",
          "bob has %s" % errors_of(bob))
    await bob.barrier()
    for client in clients:
        await refused(client, bob.bare)
        await client.barrier()
        heard = [stanza.text(e) for e in client.stanzas[since[client]:]
                 if stanza.bare(e.get("from")) == bob.bare
                 and e.get("type") not in ("error", "unavailable")]
        check(not heard, "%s heard %s" % (client.label, heard))


async def talk(world, bob, clients, word):
    bob.say(world.alice, word + " of bob")
    for client in clients:
        await client.until_body(word + " of bob")
        client.say(bob.bare, "%s of %s" % (word, client.label))
        await bob.until_body("%s of %s" % (word, client.label))


async def block_list(world, node):
    bob, carol = await world.bob_comes(), await world.carol_comes()
    (desk, told), (phone, told_phone) = await two(world, node)
    clients = desk, phone
    for client in clients:
        await client.until_presence(lambda p: p.get("from") == bob.jid)
    await until_seen(bob, world.alice, True, None)
    await talk(world, bob, clients, "before")

    await phone.xmpp["xep_0191"].block([bob.bare, "example.org"])
    pushed = ("block", {bob.bare, "example.org"})
    await told.until(desk, [pushed])
    await told_phone.until(phone, [pushed])
    # ejabberd leaves that out, against XEP-0191 3.3 and 3.4.
    has_presence = world.server.name != "ejabberd"
    if has_presence:
        await until_seen(bob, world.alice, False, None)
    await is_blocked(world, bob, clients)
    carol.say(world.alice, "of carol")
    await desk.until_body("of carol")

    late = world.alices("late", node=node, plugins=SIGHT)
    await late.login()
    await late.come()
    listed = blocked_in(await late.xmpp["xep_0191"].get_blocked())
    check(listed == {bob.bare, "example.org"}, "late is told %s" % listed)
    since = len(bob.stanzas)
    await desk.xmpp["xep_0191"].unblock(bob.bare)
    await told.until(desk, [pushed, ("unblock", {bob.bare})])
    await told_phone.until(phone, [pushed, ("unblock", {bob.bare})])
    if has_presence:
        await bob.until_presence(
            lambda p: stanza.bare(p.get("from")) == world.alice
            and p.get("type") is None, since=since, what="alice again")
    await talk(world, bob, clients, "after")


@case(servers=ALL, direct=True)
async def blocked(world, count):
    """who is blocked is heard by no client, sees nobody, until unblocked"""
    await block_list(world, node=False)


@case(servers=ALL)
async def blocked_node(world, count):
    """the same in node view"""
    await block_list(world, node=True)


@case(servers=ALL, store=True, seconds=120)
async def blocked_away(world, count):
    """blocked while the server is away: on the list at once, and when it is
    back, after a restart of the proxy, too"""
    bob = await world.bob_comes()
    (desk, told), _ = await two(world, node=False)
    await desk.until_presence(lambda p: p.get("from") == bob.jid)
    await world.server.stop()
    await link_is_lost(world)
    await desk.xmpp["xep_0191"].block(bob.bare)
    await told.until(desk, [("block", {bob.bare})])
    await world.proxy.process.kill()
    await world.server.start()
    await world.proxy.start()
    desk = world.alices("desk2", plugins=SIGHT)
    await desk.login()
    await desk.come()
    listed = blocked_in(await desk.xmpp["xep_0191"].get_blocked())
    check(listed == {bob.bare}, "desk is told %s" % listed)
    await reaches_server(desk)
    if world.server.has_carbons:    # and blocking: the server is told
        direct = world.on_server(world.alice_name, "direct", plugins=SIGHT)
        await direct.login()

        async def knows():
            return bob.bare in blocked_in(
                await direct.xmpp["xep_0191"].get_blocked())
        await poll(knows, 20, "the server's list has bob")
    bob = await world.bob_comes()
    await is_blocked(world, bob, [desk])
