"""Client state (XEP-0352), of clients and towards servers."""

from lib import stanza
from lib.case import case
from lib.wait import check, poll
from test_presence import until_seen

ALL = ("prosody", "prosody-old", "ejabberd")
SIGHT = ("xep_0352", "xep_0085")
STATE = "<message to=%r type='chat'><composing " \
    "xmlns='http://jabber.org/protocol/chatstates'/></message>"


def of_bob(client, bob, since):
    """('presence', show) and ('message', body) of him, in order."""
    story = []
    for elem in client.stanzas[since:]:
        if stanza.bare(elem.get("from")) != bob.bare:
            continue
        if stanza.is_presence(elem):
            story.append(("presence", stanza.availability(elem)[1]))
        elif elem.tag == stanza.CLIENT + "message":
            story.append(("message", elem.findtext(stanza.CLIENT + "body")))
    return story


async def sleepy(world, node):
    bob = await world.bob_comes()
    desk = world.alices("desk", node=node)
    phone = world.alices("phone", node=node, plugins=SIGHT)
    for client in desk, phone:
        await client.login()
        await client.come()
        await client.until_presence(lambda p: p.get("from") == bob.jid)
    check(phone.xmpp["xep_0352"].enabled, "it is not offered")
    await until_seen(bob, world.alice, True, None)

    phone.xmpp["xep_0352"].send_inactive()
    await phone.barrier()
    since = len(phone.stanzas)
    for show in "away", "xa", "dnd":
        bob.send(stanza.presence(show=show))
        await until_seen(desk, bob.bare, True, show)
        bob.send(STATE % world.alice)
    # What does not wait for anything would be there behind this.
    await bob.barrier()
    await desk.barrier()
    check(of_bob(phone, bob, since) == [], "phone heard of bob")
    bob.say(world.alice, "wake up")
    await phone.until_body("wake up")
    check(of_bob(phone, bob, since) ==
          [("presence", "dnd"), ("message", "wake up")],
          "phone heard %s" % of_bob(phone, bob, since))

    since = len(phone.stanzas)
    bob.send(stanza.presence())
    await until_seen(desk, bob.bare, True, None)
    phone.xmpp["xep_0352"].send_active()
    await phone.barrier()
    check(of_bob(phone, bob, since) == [("presence", None)],
          "phone heard %s" % of_bob(phone, bob, since))
    bob.send(stanza.presence(show="away"))
    await until_seen(phone, bob.bare, True, "away")


@case(servers=ALL)
async def inactive(world, count):
    """an inactive client is told the latest presence, before a message"""
    await sleepy(world, node=False)


@case(servers=ALL)
async def inactive_node(world, count):
    """the same in node view"""
    await sleepy(world, node=True)


@case()
async def inactive_all(world, count):
    """the server is told when no client is active, and when one is again"""
    bob = await world.bob_comes()
    clients = [world.alices(label, plugins=SIGHT)
               for label in ("desk", "phone")]
    for client in clients:
        await client.login()
        await client.come()
        await client.until_presence(lambda p: p.get("from") == bob.jid)

    def told(state):
        return [line for line in world.proxy.log_lines(
            "event=server-told") if "active=" + state in line]
    before = len(told("no"))
    clients[0].xmpp["xep_0352"].send_inactive()
    await clients[0].barrier()
    check(len(told("no")) == before, "told while phone is active")
    clients[1].xmpp["xep_0352"].send_inactive()
    await poll(lambda: len(told("no")) == before + 1, 20, "told")
    # Whatever the server makes of it, nothing is lost, nor late.
    bob.send(stanza.presence(show="dnd"))
    bob.say(world.alice, "hi")
    for client in clients:
        await client.until_body("hi")
        await until_seen(client, bob.bare, True, "dnd")
    bob.send(stanza.presence(show="xa"))
    await bob.barrier()
    clients[0].xmpp["xep_0352"].send_active()
    await until_seen(clients[0], bob.bare, True, "xa")
