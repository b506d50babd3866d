"""IQs: each asker gets its own answer, whatever ids clients choose."""

from lib import stanza
from lib.case import case
from lib.wait import check

DISCO = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
VERSION = "<query xmlns='jabber:iq:version'/>"
PING = "<ping xmlns='urn:xmpp:ping'/>"


async def same_ids(world, node, rounds=50):
    bob = await world.bob_comes()
    desk, phone, term = await world.three(node=node)
    server = world.server.domain
    ids = ["%d" % i for i in range(rounds)]
    for id in ids:
        desk.ask("get", DISCO, to=server, id=id)
        phone.ask("get", VERSION, to=bob.jid, id=id)
        term.ask("get", DISCO, to=bob.jid, id=id)
    for client in desk, phone, term:
        await client.until(
            lambda: all(client.answers(id) for id in ids), 20,
            lambda: "%s: answers to all; there are %d"
            % (client.label, sum(bool(client.answers(i)) for i in ids)))
    for client in desk, phone, term:
        await client.barrier()
    for client, what, who in ((desk, stanza.DISCO_INFO, server),
                              (phone, stanza.VERSION, bob.jid),
                              (term, stanza.DISCO_INFO, bob.jid)):
        for id in ids:
            got = client.answers(id)
            check(len(got) == 1 and got[0].get("type") == "result"
                  and got[0].find(what + "query") is not None
                  and got[0].get("from") == who
                  and got[0].get("to") == client.jid,
                  "%s, id %s: %s" % (client.label, id,
                                     [stanza.text(g) for g in got]))


@case(direct=True)
async def same_iq_id(world, count):
    """clients using the same IQ id at the same moment get their own answers"""
    await same_ids(world, node=False)


@case()
async def same_iq_id_node(world, count):
    """the same in node view"""
    await same_ids(world, node=True)


@case(direct=True)
async def asked_by_bob(world, count):
    """bob asks alice for version, time, ping and disco: one answer each"""
    bob = await world.bob_comes()
    for label in "desk", "phone":   # libstrophe answers nothing by itself
        client = world.alices(label)
        await client.login()
        await client.come()
    full = (await bob.until_presence(
        lambda p: stanza.bare(p.get("from")) == world.alice
        and p.get("type") is None)).get("from")
    for payload in DISCO, VERSION, PING:
        answer = await bob.iq("get", payload, to=full)
        check(answer.get("type") == "result" and answer.get("from") == full,
              stanza.text(answer))
    answer = await bob.iq("get", "<query xmlns='urn:example:unknown'/>",
                          to=full)
    check(answer.get("type") == "error", stanza.text(answer))
    await bob.barrier()
    check(all(len(bob.answers(id)) == 1 for id in bob._answers),
          "bob has two answers to one question")


@case(direct=True)
async def own_disco(world, count):
    """the own account's and server's disco#info name carbons"""
    desk, phone, term = await world.three()
    server = world.server.domain
    for to in server, world.alice, None:
        answer = await desk.iq("get", DISCO, to=to)
        check(answer.get("type") == "result"
              and answer.get("from") in (to, world.alice, None),
              stanza.text(answer))
        features = {f.get("var") for f in
                    answer.iter(stanza.DISCO_INFO + "feature")}
        check(to != server or "urn:xmpp:carbons:2" in features,
              "no carbons in %s" % stanza.text(answer))


@case()
async def no_register(world, count):
    """jabber:iq:register is refused: it would delete the real account"""
    desk = world.alices("desk")
    await desk.login()
    await desk.come()
    for to in None, world.server.domain:
        answer = await desk.iq(
            "set", "<query xmlns='jabber:iq:register'><remove/></query>",
            to=to)
        check(answer.get("type") == "error", stanza.text(answer))
    await desk.barrier()
