"""One login for three accounts, on servers that know nothing of each other."""

from lib import stanza
from lib.case import case
from lib.wait import check, poll
from test_iq import DISCO, VERSION
from test_log import READER, read_archive
from test_messages import compare
from test_outage import link_is_lost
from test_presence import seen_of, until_seen
from test_restart import managed

THREE = ("three",)
PROSODY, EJABBERD, BARE = range(3)


class Contact:
    """One of alice's contacts, straight on its server. `mine`: the account
    that it knows her by."""

    def __init__(self, world, client, server):
        self.client = client
        self.server = server
        self.mine = world.at(world.alice_name, server)


class Scene:
    """alice's three clients in node view; bob on each server, and carol on the
    second one, whom the first account has in its roster, too."""

    def __init__(self, world):
        self.world = world
        self.contacts = []
        self.clients = []
        self.rounds = 0

    async def begin(self):
        await self.world.begin(knows_carol=True, shares_carol=True)
        servers = self.world.servers
        for server in servers:
            bob = await self.world.bob_comes(server=server)
            self.contacts.append(Contact(self.world, bob, server))
        carol = await self.world.carol_comes(server=servers[EJABBERD])
        self.contacts.append(Contact(self.world, carol, servers[EJABBERD]))
        self.clients = await self.world.three(node=True)

    def of(self, server):
        return [c for c in self.contacts if c.server is server]

    def others(self, server):
        return [c for c in self.contacts if c.server is not server]

    def jids(self):
        """All that the merged roster has: nobody logs in as these carols."""
        world = self.world
        return sorted([c.client.bare for c in self.contacts] +
                      [world.at(world.carol_name, world.servers[i])
                       for i in (PROSODY, BARE)])

    async def all_see(self, contacts, available):
        for client in self.clients:
            for contact in contacts:
                await until_seen(client, contact.client.bare, available, None)

    async def talk(self, contacts):
        """Each contact writes to the account that it knows, and is answered
        by one client after the other; all is seen by all, once."""
        self.rounds += 1
        for contact in contacts:
            question = "question %d of %s" % (self.rounds,
                                              contact.client.label)
            contact.client.say(contact.mine, question)
            for client in self.clients:
                got = await client.until_body(question)
                check(got.how == "plain" and got.frm == contact.client.jid
                      and got.to == client.bare,
                      "%s: %r" % (client.label, got))
            for client in self.clients:
                await self._answer(client, contact)

    async def _answer(self, client, contact):
        body = "answer %d of %s to %s" % (self.rounds, client.label,
                                          contact.client.label)
        client.say(contact.client.bare, body)
        got = await contact.client.until_body(body)
        check(stanza.bare(got.frm) == contact.mine,
              "%s is answered by %s" % (contact.client.label, got.frm))
        for other in self.clients:
            if other is not client:
                got = await other.until_body(body)
                check(got.how == ("sent" if other.has_carbons else "note"),
                      "%s: %r" % (other.label, got))

    def check_step(self):
        """Nobody was told anything twice, all the same, and none logged in
        anew. What was said at the same time may differ in its order."""
        for client in self.clients:
            bodies = [d.body for d in client.deliveries]
            compare(client.label, sorted(bodies), sorted(set(bodies)))
            check(client.logins == 1 and client.is_up,
                  "%s logged in %d times, %s" % (client.label, client.logins,
                                                 client.ended))
            errors = [stanza.text(e) for e in client.stanzas
                      if e.tag == stanza.CLIENT + "message"
                      and e.get("type") == "error"]
            check(not errors, "%s: %s" % (client.label, errors))
        # Its own messages are the only ones that a client is not told.
        said = {c: {d.body for d in c.deliveries} for c in self.clients}
        for client in self.clients:
            rest = set().union(*said.values()) - said[client]
            check(all(" of %s to " % client.label in body for body in rest),
                  "%s lacks %s" % (client.label, sorted(rest)))

    async def late(self, label, away=()):
        """One more client has the whole roster, and the presence of those who
        are there."""
        client = self.world.alices(label, node=True)
        await client.login()
        roster = await client.come(carbons=True)
        compare(label + "'s roster", sorted(roster), self.jids())
        check(all(item.get("subscription") == "both"
                  for item in roster.values()), "not all are both")
        for contact in self.contacts:
            if contact not in away:
                await until_seen(client, contact.client.bare, True, None)
        await client.barrier()
        there = {e.get("from") for e in client.stanzas
                 if stanza.is_presence(e) and stanza.availability(e)[0]}
        check(not there & {c.client.jid for c in away},
              "%s sees who is away: %s" % (label, sorted(there)))
        await client.close()


async def starts(world, server):
    """The server, and the proxy is there again, however long it waits."""
    def logins():
        return len(world.proxy.log_lines(
            "event=upstream-up", world.at(world.alice_name, server)))
    before = logins()
    await server.start()
    await poll(lambda: logins() > before, 60,
               "the proxy is back at " + server.domain)


async def back(scene, server):
    """It starts, and its people log in anew; all that had to be said of their
    absence was said by then."""
    await starts(scene.world, server)
    await scene.all_see(scene.of(server), False)
    for contact in scene.of(server):
        await contact.client.login()
        await contact.client.come()


def absent(scene, at):
    """Whose absence is told when that server has stopped. Where it ended
    without a word, as Prosody does and ejabberd may, the stream might go on
    (XEP-0198), and while it may, its contacts stay as they were."""
    world, server = scene.world, scene.world.servers[at]
    lost = world.proxy.log_lines("event=upstream-retry",
                                 world.at(world.alice_name, server))
    may_go_on = at != BARE and "the peer closed the connection" in lost[0]
    return [] if may_go_on else scene.of(server)


async def three_in_step(world, at):
    scene = Scene(world)
    await scene.begin()
    server = world.servers[at]
    await scene.all_see(scene.contacts, True)
    for contact in scene.contacts:
        await until_seen(contact.client, contact.mine, True, None)
    await scene.talk(scene.contacts)
    await scene.late("before")

    await server.stop()
    await link_is_lost(world)
    away = absent(scene, at)
    await scene.all_see(away, False)
    kept = {c: [] for c in scene.of(server)}
    for n in range(3):
        for client in scene.clients:
            for contact in kept:
                kept[contact].append("kept %d of %s to %s" % (
                    n, client.label, contact.client.label))
                client.say(contact.client.bare, kept[contact][-1])
    await scene.talk(scene.others(server))
    await scene.all_see(scene.others(server), True)
    await scene.late("meanwhile", away=away)

    await back(scene, server)
    await scene.all_see(scene.contacts, True)
    for contact, bodies in kept.items():
        await until_seen(contact.client, contact.mine, True, None)
        for body in bodies:
            await contact.client.until_body(body)
        for client in scene.clients:
            compare("%s from %s" % (contact.client.label, client.label),
                    [d.body for d in contact.client.deliveries
                     if d.body.startswith("kept") and
                     " of %s to " % client.label in d.body],
                    [b for b in bodies if " of %s to " % client.label in b])
        check(all(stanza.bare(d.frm) == contact.mine
                  for d in contact.client.deliveries),
              "%s was written to by another" % contact.client.label)
    await scene.talk(scene.contacts)
    await scene.late("after")
    scene.check_step()


@case(servers=THREE, begin=False, seconds=90)
async def three_prosody(world, count):
    """three accounts, one login; the Prosody stops and starts meanwhile"""
    await three_in_step(world, PROSODY)


@case(servers=THREE, begin=False, seconds=90)
async def three_ejabberd(world, count):
    """the same with the ejabberd"""
    await three_in_step(world, EJABBERD)


@case(servers=THREE, begin=False, seconds=90)
async def three_bare(world, count):
    """the same with the Prosody that has no optional module"""
    await three_in_step(world, BARE)


def groups_of(item):
    return sorted(g.text for g in item.iter(stanza.ROSTER + "group"))


def last_push(client, jid):
    """(subscription, name, groups) as it was pushed last; None: never."""
    found = [(item.get("subscription"), item.get("name"), groups_of(item))
             for e in client.stanzas
             if e.tag == stanza.CLIENT + "iq" and e.get("type") == "set"
             for item in e.iter(stanza.ROSTER + "item")
             if item.get("jid") == jid]
    return found[-1] if found else None


async def until_pushed(client, jid, *wanted):
    await client.until(
        lambda: last_push(client, jid) == wanted, 20,
        lambda: "%s has %s as %s; it was pushed %s"
        % (client.label, jid, wanted, last_push(client, jid)))


async def until_removed(client, jid):
    await client.until(
        lambda: (last_push(client, jid) or [None])[0] == "remove", 20,
        lambda: "%s is told that %s is removed; it was pushed %s"
        % (client.label, jid, last_push(client, jid)))


async def set_item(client, jid, name, *groups):
    answer = await client.iq(
        "set", "<query xmlns='jabber:iq:roster'>%s</query>" % stanza.tag(
            "item", {"jid": jid, "name": name},
            "".join("<group>%s</group>" % g for g in groups)))
    check(answer.get("type") == "result", stanza.text(answer))


async def remove_item(client, jid):
    answer = await client.iq(
        "set", "<query xmlns='jabber:iq:roster'><item jid='%s' "
        "subscription='remove'/></query>" % jid)
    check(answer.get("type") == "result", stanza.text(answer))


async def directs_of(world):
    """A client of alice straight on each server."""
    clients = []
    for at, server in enumerate(world.servers):
        client = world.on_server(world.alice_name, "direct%d" % at,
                                 server=server)
        await client.login()
        await client.come(priority=-1)
        clients.append(client)
    return clients


@case(servers=THREE, begin=False)
async def merged_roster(world, count):
    """an item of two accounts is one; what is set goes to where it is held"""
    await world.begin(run=False, knows_carol=True, shares_carol=True)
    directs = await directs_of(world)
    carol = world.at(world.carol_name, world.servers[EJABBERD])
    await set_item(directs[PROSODY], carol, "Carol at work", "Work")
    await set_item(directs[EJABBERD], carol, "Carol", "Choir", "Friends")
    await world.proxy.start()
    clients = desk, phone, term = await world.three(node=True)
    for client in clients:
        item = (await client.fetch_roster())[carol]
        check((item.get("subscription"), item.get("name"), groups_of(item)) ==
              ("both", "Carol at work", ["Choir", "Friends", "Work"]),
              "%s: %s" % (client.label, stanza.text(item)))

    async def all_have(*wanted):
        for client in clients:
            await until_pushed(client, carol, *wanted)
    await set_item(directs[EJABBERD], carol, "Carol", "Family")
    await all_have("both", "Carol at work", ["Family", "Work"])
    await set_item(phone, carol, "Caroline", "Family", "Work")
    for direct in directs[PROSODY], directs[EJABBERD]:
        await until_pushed(direct, carol, "both", "Caroline",
                           ["Family", "Work"])
    await all_have("both", "Caroline", ["Family", "Work"])
    # That item is one account's then, and the other's again.
    await remove_item(directs[PROSODY], carol)
    await set_item(directs[EJABBERD], carol, "Carol", "Choir")
    await all_have("both", "Carol", ["Choir"])
    await set_item(directs[PROSODY], carol, "Carol at work", "Work")
    await all_have("both", "Carol at work", ["Choir", "Work"])
    await remove_item(term, carol)
    for client in (*clients, directs[PROSODY], directs[EJABBERD]):
        await until_removed(client, carol)
    check(carol not in await desk.fetch_roster(), "carol is still there")
    check(last_push(directs[BARE], carol) is None, "pushed to the third")


@case(servers=THREE, begin=False)
async def added_to_one(world, count):
    """who is added goes to the account of that domain, else to the default"""
    await world.begin()
    directs = await directs_of(world)
    clients = await world.three(node=True)
    dora = [world.at("dora", server) for server in world.servers]
    for sender, at in zip(clients, (BARE, EJABBERD, PROSODY)):
        await set_item(sender, dora[at], "Dora", "New")
        for client in (*clients, directs[at]):
            await until_pushed(client, dora[at], "none", "Dora", ["New"])
    await set_item(clients[0], "else@nowhere.test", "Else")
    for client in (*clients, directs[PROSODY]):
        await until_pushed(client, "else@nowhere.test", "none", "Else", [])
    for at, direct in enumerate(directs):
        await direct.barrier()
        roster = await direct.fetch_roster()
        compare(direct.label, sorted(roster), sorted(
            [world.at(world.bob_name, world.servers[at]), dora[at]] +
            (at == PROSODY) * ["else@nowhere.test"]))


@case(servers=THREE, begin=False)
async def subscription_to_one(world, count):
    """a request to one account is answered by it; so is the one back"""
    await world.begin()
    server = world.servers[BARE]
    carol = await world.carol_comes(server=server)
    desk, phone, term = clients = await world.three(node=True)
    mine = world.at(world.alice_name, server)
    carol.send(stanza.presence(kind="subscribe", to=mine))
    for client in clients:
        await client.until_presence(
            lambda p: p.get("type") == "subscribe" and
            p.get("from") == carol.bare and p.get("to") in
            (None, client.bare), what="carol's request")
    term.send(stanza.presence(kind="subscribed", to=carol.bare))
    await carol.until_presence(
        lambda p: p.get("type") == "subscribed" and p.get("from") == mine,
        what="alice's answer")
    await until_seen(carol, mine, True, None)
    for client in clients:
        await until_pushed(client, carol.bare, "from", None, [])
    desk.send(stanza.presence(kind="subscribe", to=carol.bare))
    await carol.until_presence(
        lambda p: p.get("type") == "subscribe" and p.get("from") == mine,
        what="alice's request")
    carol.send(stanza.presence(kind="subscribed", to=mine))
    for client in clients:
        await until_seen(client, carol.bare, True, None)
        await until_pushed(client, carol.bare, "both", None, [])


@case(servers=THREE, begin=False)
async def account_views(world, count):
    """node view sees all accounts, the account view of each that one alone"""
    await world.begin()
    bobs = [await world.bob_comes(server=server) for server in world.servers]
    mine = [world.at(world.alice_name, server) for server in world.servers]
    node = world.alices("node", node=True)
    views = [world.alices("own%d" % at, account=jid)
             for at, jid in enumerate(mine)]
    for client in node, *views:
        await client.login()
        await client.come(carbons=True)
    for view, bob in zip(views, bobs):
        check(list(await view.fetch_roster()) == [bob.bare],
              "%s has another's roster" % view.label)
        await until_seen(view, bob.bare, True, None)
        await until_seen(node, bob.bare, True, None)
    for view, bob, jid in zip(views, bobs, mine):
        bob.say(jid, "hello of " + bob.label)
        for client in view, node:
            got = await client.until_body("hello of " + bob.label)
            check(got.how == "plain" and got.to == client.bare,
                  "%s: %r" % (client.label, got))
        for sender, other in (view, node), (node, view):
            body = "%s to %s" % (sender.label, bob.label)
            sender.say(bob.bare, body)
            got = await bob.until_body(body)
            check(stanza.bare(got.frm) == jid, "bob: %r" % got)
            got = await other.until_body(body)
            check(got.how == "sent" and got.frm == "%s/%s" % (
                other.bare, stanza.resource(sender.jid)),
                "%s: %r" % (other.label, got))
    for view, bob in zip(views, bobs):
        await view.barrier()
        compare(view.label, [d.body for d in view.deliveries],
                ["hello of " + bob.label, "node to " + bob.label])
        # The other accounts' clients are none of its own.
        siblings = {stanza.resource(e.get("from")) for e in view.stanzas
                    if stanza.is_presence(e)
                    and stanza.bare(e.get("from")) == view.bare}
        check(siblings == {"node", view.label},
              "%s has the siblings %s" % (view.label, siblings))
        strange = [stanza.text(e) for e in view.stanzas
                   if e.get("from") and stanza.bare(e.get("from")) not in
                   (view.bare, bob.bare, bob.bare.partition("@")[2])]
        check(not strange, "%s sees %s" % (view.label, strange[:1]))


@case(begin=False)
async def contact_of_two(world, count):
    """who is seen through two accounts is one, and answered by the right one"""
    await world.begin(has_work=True)
    bob = await world.bob_comes()
    clients = desk, phone, term = await world.three(node=True)
    for client in clients:
        check(list(await client.fetch_roster()) == [bob.bare], "the roster")
        await until_seen(client, bob.bare, True, None)
    for account in world.alice, world.work:
        await until_seen(bob, account, True, None)

    async def answered(sender, account, body):
        sender.say(bob.bare, body)
        got = await bob.until_body(body)
        check(stanza.bare(got.frm) == account, "%r is from %s"
              % (body, got.frm))

    async def written(account, body):
        bob.say(account, body)
        for client in clients:
            got = await client.until_body(body)
            check(got.frm == bob.jid and stanza.bare(got.to) == client.bare,
                  "%s: %r" % (client.label, got))
    await answered(phone, world.alice, "whose roster has bob first")
    await written(world.work, "to work")
    await answered(term, world.work, "by work")
    bob.send(stanza.presence(show="dnd"))
    # The presence is before these, to each account.
    await written(world.work, "to work again")
    await written(world.alice, "to alice")
    await answered(desk, world.alice, "by alice")
    for client in clients:
        told = [stanza.availability(e) for e in client.stanzas
                if stanza.is_presence(e) and e.get("from") == bob.jid]
        check(told == [(True, None), (True, "dnd")],
              "%s was told %s" % (client.label, told))
    await bob.close()
    for client in clients:
        await until_seen(client, bob.bare, False, None)


@case(servers=THREE, begin=False)
async def three_killed(world, count):
    """the proxy is killed: clients in node view go on with all three accounts"""
    await world.begin(store=True)
    bobs = [await world.bob_comes(server=server) for server in world.servers]
    mine = [world.at(world.alice_name, server) for server in world.servers]
    clients = await managed(world, node=True)
    for client in clients:
        for bob in bobs:
            await until_seen(client, bob.bare, True, None)
    since = {c: len(c.stanzas) for c in clients}
    await world.proxy.process.kill()
    for client in clients:
        await client.until(lambda: not client.is_up, 20,
                           "%s notices" % client.label)
    for bob, jid in zip(bobs, mine):
        bob.say(jid, "meanwhile of " + bob.label)
        await bob.barrier()
    await bobs[BARE].close()
    direct = world.on_server(world.alice_name, "direct",
                             server=world.servers[EJABBERD])
    await direct.login()
    await set_item(direct, bobs[EJABBERD].bare, "Robert", "New")
    await direct.close()

    await world.proxy.start()
    for client in clients:
        await client.resume()
    for client in clients:
        for bob in bobs:
            await client.until_body("meanwhile of " + bob.label)
        await until_pushed(client, bobs[EJABBERD].bare, "both", "Robert",
                           ["New"])
        await until_seen(client, bobs[BARE].bare, False, None)
        for bob in bobs[PROSODY], bobs[EJABBERD]:
            story = seen_of(client, bob.bare, since[client])
            check(story in ([], [(True, None)]), "%s: %s flaps: %s"
                  % (client.label, bob.label, story))
        compare(client.label + "'s roster", sorted(await client.fetch_roster()),
                sorted(bob.bare for bob in bobs))
    await bobs[BARE].login()
    await bobs[BARE].come()
    for bob, jid in zip(bobs, mine):
        for client in clients:
            await until_seen(client, bob.bare, True, None)
            client.say(bob.bare, "answer of " + client.label)
            got = await bob.until_body("answer of " + client.label)
            check(stanza.bare(got.frm) == jid, "%s: %r" % (bob.label, got))
    for client in clients:
        told = [d.body for d in client.deliveries if d.how == "plain"]
        compare(client.label, sorted(told),
                sorted("meanwhile of " + bob.label for bob in bobs))
        check(client.logins == 1, "%s logged in again" % client.label)


@case(servers=THREE, begin=False)
async def asked_through_each(world, count):
    """requests and receipts of clients in node view take the right account"""
    await world.begin()
    bobs = [await world.bob_comes(server=server) for server in world.servers]
    clients = await world.three(node=True)
    for bob, server in zip(bobs, world.servers):
        mine = world.at(world.alice_name, server)
        for client in clients:
            await until_seen(client, bob.bare, True, None)
            answer = await client.iq("get", VERSION, to=bob.jid)
            check(answer.get("type") == "result" and answer.get("from") ==
                  bob.jid and answer.get("to") == client.jid,
                  stanza.text(answer))
        seen = await bob.until_presence(
            lambda p: stanza.bare(p.get("from")) == mine
            and p.get("type") is None)
        answer = await bob.iq("get", DISCO, to=seen.get("from"))
        check(answer.get("type") == "result" and
              answer.get("from") == seen.get("from"), stanza.text(answer))
        id = bob.say(mine, "got it?",
                     extra="<request xmlns='urn:xmpp:receipts'/>")
        for client in clients:
            await client.until_body("got it?")
            client.send(stanza.receipt(bob.jid, "r-" + client.label, id))
            client.say(bob.bare, "end of " + client.label)
        for client in clients:
            got = await bob.until_body("end of " + client.label)
            check(stanza.bare(got.frm) == mine, "%s: %r" % (bob.label, got))
        receipts = [(stanza.bare(e.get("from")),
                     e.find(stanza.RECEIPT + "received").get("id"))
                    for e in bob.stanzas
                    if e.find(stanza.RECEIPT + "received") is not None]
        check(receipts == [(mine, id)], "%s got %s" % (bob.label, receipts))
        for client in clients:
            client.deliveries.clear()


@case(servers=THREE, begin=False)
async def archive_of_all(world, count):
    """in node view one archive has what was said through all three accounts"""
    await world.begin(store=True)
    bobs = [await world.bob_comes(server=server) for server in world.servers]
    desk = world.alices("desk", node=True)
    await desk.login()
    await desk.come()
    said = []
    for number in range(3):
        for bob, server in zip(bobs, world.servers):
            said += [(bob.jid, "question %d of %s" % (number, bob.label)),
                     (desk.jid, "answer %d to %s" % (number, bob.label))]
            bob.say(world.at(world.alice_name, server), said[-2][1])
            await desk.until_body(said[-2][1])
            desk.say(bob.bare, said[-1][1])
            await bob.until_body(said[-1][1])
    reader = world.alices("reader", node=True, plugins=READER)
    await reader.login()
    archive = await read_archive(reader)
    compare("archive", [(got.frm, got.body) for _, got in archive], said)
    for bob in bobs:
        check(all(got.to in (bob.bare, desk.bare, desk.jid)
                  for _, got in archive if got.body.endswith(bob.label)),
              "addresses: %s" % archive)
        part = await read_archive(reader, with_jid=bob.bare)
        compare("archive with " + bob.label, [got.body for _, got in part],
                [body for _, body in said if body.endswith(bob.label)])


@case(servers=THREE, begin=False)
async def three_asleep(world, count):
    """a client in node view that was off has of each account what is so now"""
    await world.begin()
    bobs = [await world.bob_comes(server=server) for server in world.servers]
    bare, server = bobs[BARE], world.servers[BARE]
    desk, term = await managed(world, node=True)
    for bob in bobs:
        await until_seen(desk, bob.bare, True, None)

    async def sleeps():
        desk.cut()
        await desk.until(lambda: not desk.is_up, 20, "desk is off")
    await sleeps()
    bobs[PROSODY].send(stanza.presence(show="dnd"))
    bobs[EJABBERD].say(
        world.at(world.alice_name, world.servers[EJABBERD]), "one")
    await server.stop()
    await link_is_lost(world)
    await term.until_body("one")
    await until_seen(term, bobs[PROSODY].bare, True, "dnd")
    await desk.resume()
    await desk.until_body("one")
    await until_seen(desk, bobs[PROSODY].bare, True, "dnd")
    await until_seen(desk, bobs[EJABBERD].bare, True, None)
    await until_seen(desk, bare.bare, False, None)
    desk.say(bare.bare, "written while it is away")
    await term.until_body("written while it is away")
    await sleeps()
    await starts(world, server)
    await bare.login()
    await bare.come()
    await bare.until_body("written while it is away")
    bare.say(world.at(world.alice_name, server), "two")
    await term.until_body("two")
    await desk.resume()
    await desk.until_body("two")
    await until_seen(desk, bare.bare, True, None)
    check(desk.logins == 1 and term.logins == 1, "a new login")
    compare("desk", [d.body for d in desk.deliveries], ["one", "two"])
