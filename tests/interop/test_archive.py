"""Archives: ours as clients see it, the server's as the proxy makes use of it."""

from lib import stanza
from lib.case import case
from lib.raw import RawClient
from lib.wait import check
from test_log import MAM, READER, read_archive, stanza_id
from test_messages import compare
from test_outage import Load, link_is_lost, reaches_server

SIGHT = ("xep_0198", "xep_0280", "xep_0313")
CARBONS, ARCHIVE = "urn:xmpp:carbons:2", "urn:xmpp:mam:2"
WINDOW = 5                      # after so many slixmpp asks for <a/>


async def features(client, jid):
    """As slixmpp finds them by disco#info."""
    info = await client.xmpp["xep_0030"].get_info(jid=jid)
    return info["disco_info"]["features"]


class Heard:
    """What slixmpp tells of its own accord."""

    def __init__(self, client):
        self._client = client
        self.carbons, self.acked = [], []
        for event, add in (("carbon_sent", self._carbon),
                           ("stanza_acked", self._acked)):
            client.xmpp.add_event_handler(event, add)

    def _carbon(self, message):
        self.carbons.append(message["carbon_sent"]["body"])
        self._client.bell.ring()

    def _acked(self, what):
        self.acked.append(what)
        self._client.bell.ring()

    async def until(self, ready, what):
        await self._client.until(ready, 20, what)


@case(servers=("prosody-old",), store=True)
async def old_server_all(world, count):
    """slixmpp finds carbons, archive and resumption that this server has not"""
    bob = await world.bob_comes(plugins=SIGHT)
    check("stream_management" not in bob.xmpp.features
          and bob.xmpp["xep_0198"].sm_id is None, "the server has XEP-0198")
    found = await features(bob, world.server.domain) | \
        await features(bob, bob.bare)
    check(not found & {CARBONS, ARCHIVE}, "the server has %s" % found)

    desk = world.alices("desk", plugins=SIGHT)
    phone = world.alices("phone", plugins=SIGHT)
    for client in desk, phone:
        await client.login()
        await client.until(lambda: client.xmpp["xep_0198"].sm_id, 20,
                           "%s can resume" % client.label)
        await client.xmpp["xep_0280"].enable()
        await client.come()
    check(CARBONS in await features(desk, world.server.domain), "no carbons")
    check(ARCHIVE in await features(desk, desk.bare), "no archive")

    heard = Heard(desk)
    bodies = ["%d of phone" % i for i in range(WINDOW)]
    for body in bodies:
        phone.say(bob.bare, body)
    await heard.until(lambda: heard.carbons == bodies, lambda:
                      "carbons: %s" % heard.carbons)
    for i in range(WINDOW):
        bodies.append("%d of desk" % i)
        desk.say(bob.bare, bodies[-1])
    await bob.until_body(bodies[-1])
    await heard.until(lambda: len(heard.acked) >= WINDOW, "acknowledgements")

    desk.cut()
    await desk.until(lambda: not desk.is_up, 20, "desk is off")
    missed = ["%d of bob, meanwhile" % i for i in range(WINDOW)]
    for body in missed:
        bob.say(world.alice, body)
    await phone.until_body(missed[-1])
    desk.say(bob.bare, "written while it is off")
    await desk.resume()
    bob.say(world.alice, "end")
    await desk.until_body("end")
    await bob.until_body("written while it is off")
    check(desk.logins == 1 and desk.resumptions == 1, "a new login")
    compare("desk", [d.body for d in desk.deliveries],
            bodies[:WINDOW] + missed + ["end"])
    compare("bob", [d.body for d in bob.deliveries],
            bodies + ["written while it is off"])
    archive = await read_archive(desk)
    compare("archive", sorted(got.body for _, got in archive),
            sorted(bodies + missed + ["written while it is off", "end"]))


@case(servers=("prosody", "ejabberd-archive"), store=True, seconds=90)
async def server_forgets(world, count):
    """what came while proxy and server had lost each other comes, once"""
    bob = await world.bob_comes()
    desk = world.alices("desk", plugins=("xep_0198",))
    await desk.login()
    await desk.come(carbons=True)
    bob.say(world.alice, "before")
    await desk.until_body("before")
    sent = ["%d of desk" % i for i in range(5)]
    for body in sent:
        desk.say(bob.bare, body)
    await bob.until_body(sent[-1])      # maybe not acknowledged yet
    await world.proxy.process.kill()
    await world.server.stop()
    await world.server.start()
    await bob.login()
    await bob.come()
    direct = world.on_server(world.alice_name, "direct")    # not available
    await direct.login()
    bodies = []
    for i in range(20):
        writer, to = ((direct, bob.bare), (bob, world.alice))[i % 4 > 0]
        bodies.append("%d of %s, meanwhile" % (i, writer.label))
        writer.say(to, bodies[-1])
        await writer.barrier()
    await direct.close()
    since = len(bob.stanzas)
    await world.proxy.start()
    await desk.resume()
    await reaches_server(desk)
    # What comes just as she becomes available an ejabberd may store for her next
    # login, behind her back, and archive after it has said that there is no more.
    if world.server.name != "prosody":
        await bob.until_presence(
            lambda p: stanza.bare(p.get("from")) == world.alice
            and p.get("type") is None, since=since)
    bob.say(world.alice, "end")
    await desk.until_body("end")
    compare("desk", [d.body for d in desk.deliveries],
            ["before"] + bodies + ["end"])
    check([d.how for d in desk.deliveries[1:-1]] ==
          ["sent" if "direct" in body else "plain" for body in bodies],
          "desk: %s" % desk.deliveries)
    desk.say(bob.bare, "end")
    await bob.until_body("end")
    compare("bob", [d.body for d in bob.deliveries],
            sent + [b for b in bodies if "direct" in b] + ["end"])
    # With "end" where that came between the last page and our presence.
    check(world.proxy.log_lines("event=gap-closed", "messages=2"),
          "not by the archive: %s" % world.proxy.log_lines("event=gap-"))


@case(servers=("prosody",), store=True, seconds=90)
async def server_killed_all(world, count):
    """a killed server with an archive: nothing is lost, nothing comes twice"""
    bob = await world.bob_comes(plugins=READER)
    desk, phone, term = clients = await world.three()
    load, words = Load(bob.bare, desk, term), Load(world.alice, bob)
    load.go_on()
    words.go_on()
    await bob.until_bodies(50, 20)
    await world.server.process.kill()
    await words.stop()
    await link_is_lost(world)
    told = len(phone.deliveries)
    await phone.until_bodies(told + 50, 20)
    await world.server.start()
    await load.stop()
    for client in load.sent:
        await reaches_server(client)

    await bob.login()
    archive = await read_archive(bob)
    await bob.come()
    bob.say(world.alice, "end")
    for client in clients:
        await client.until_body("end")
    direct = world.on_server(world.alice_name, "direct", plugins=READER)
    await direct.login()
    came = [got.body for _, got in await read_archive(direct)
            if stanza.bare(got.frm) == bob.bare]
    for client in clients:
        compare(client.label, [d.body for d in client.deliveries
                               if d.how == "plain"], came)
    for sender, sent in load.sent.items():
        compare("bob's archive of " + sender.label, [
            got.body for _, got in archive if got.body in set(sent)], sent)
        live = [d.body for d in bob.deliveries if d.body in set(sent)]
        check(len(live) == len(set(live)), "bob has some twice")
        compare("phone about " + sender.label,
                [d.body for d in phone.deliveries if d.body in set(sent)],
                sent)


async def ask(client, kind, inner):
    answer = await client.iq(kind, inner)
    check(answer.get("type") == "result", stanza.text(answer))
    return answer[0]


def lists(prefs):
    """(default, always, never)"""
    return prefs.get("default"), *(
        [jid.text for jid in prefs.find(MAM + name)]
        for name in ("always", "never"))


@case(servers=("prosody-old", "ejabberd"), store=True)
async def preferences(world, count):
    """what is archived can be chosen (XEP-0441), and the ends be asked for"""
    bob, carol = await world.bob_comes(), await world.carol_comes()
    desk = world.alices("desk", RawClient)
    await desk.login()
    await desk.come()
    none = await ask(desk, "get", "<metadata xmlns='%s'/>" % ARCHIVE)
    check(len(none) == 0, "it is not empty: %s" % stanza.text(none))
    get = "<prefs xmlns='%s'/>" % ARCHIVE
    check(lists(await ask(desk, "get", get)) == ("always", [], []),
          "not kept by default")
    wanted = "always", [], [carol.bare]
    prefs = await ask(desk, "set", "<prefs xmlns='%s' default='always'>"
                      "<always/><never><jid>%s</jid></never></prefs>"
                      % (ARCHIVE, carol.bare))
    check(lists(prefs) == wanted, stanza.text(prefs))
    await world.proxy.process.kill()
    await world.proxy.start()
    desk = world.alices("desk", RawClient)
    await desk.login()
    await desk.come()
    await reaches_server(desk)          # the proxy is there for bob
    check(lists(await ask(desk, "get", get)) == wanted, "they are forgotten")

    for i, writer in enumerate((bob, carol, bob, carol)):
        writer.say(world.alice, "%d of %s" % (i, writer.label))
        await desk.until_bodies(i + 1, 20)
    ids = [stanza_id(d.elem, desk.bare) for d in desk.deliveries]
    check([id is not None for id in ids] == [True, False, True, False],
          "ids: %s" % ids)
    ends = await ask(desk, "get", "<metadata xmlns='%s'/>" % ARCHIVE)
    check([e.get("id") for e in ends] == [ids[0], ids[2]],
          "%s, not %s" % (stanza.text(ends), ids))
    reader = world.alices("reader", plugins=READER)
    await reader.login()
    compare("archive", await read_archive_of(reader), [
        (ids[0], "0 of bob"), (ids[2], "2 of bob")])


async def read_archive_of(client):
    return [(id, got.body) for id, got in await read_archive(client)]
