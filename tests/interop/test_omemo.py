"""Encryption between real clients (OMEMO, XEP-0384, as Profanity speaks it):
two of alice, and one of bob that is straight on the server."""

from lib import stanza
from lib.case import case
from lib.wait import check
from test_messages import compare

ENCRYPTED = "{eu.siacs.conversations.axolotl}encrypted"


async def publish(world, client):
    """Keys and device list; the client is its user's first."""
    await client.make_keys()
    if world.server.name == "Prosody":
        # It sends no error codes (XEP-0086), and Profanity looks at nothing
        # else to see that there is no list yet. Notified of an empty one it
        # adds itself.
        await client.enter("/omemo clear_device_list")
    await client.until_session(client)


async def encrypted_to_all(sender, readers, body):
    """All of them read it, and that it was encrypted."""
    await sender.enter(body)
    for client in readers:
        got = await client.until_message(body)
        check(got.frm == sender.bare and got.how == "omemo",
              "%s: %s" % (client.label, got))


def check_watcher(watcher, bodies):
    """It had all of them, each once, and could read none."""
    seen = [stanza.text(e) for e in watcher.stanzas
            if e.find(".//" + ENCRYPTED) is not None]
    check(len(seen) == len(bodies), "%s saw %d encrypted messages, not %d"
          % (watcher.label, len(seen), len(bodies)))
    for elem in watcher.stanzas:
        check(not any(body in stanza.text(elem) for body in bodies),
              "not encrypted: %s" % stanza.text(elem))


async def start(client, jid, *theirs):
    """From here on what it enters is for that one, on these clients."""
    for other in theirs:
        await client.until_listed(other)
    await client.enter("/omemo start " + jid)
    for other in theirs:
        await client.until_session(other)


async def scene(world, *clients):
    """Keys of all are where they have to be: bob's client can write to all of
    alice's, and they to it and to each other. Returns bob's."""
    bobs = world.profanity("bobs", world.bob_name)
    for client in *clients, bobs:
        await client.login()
    await publish(world, clients[0])
    for client in clients[1:]:
        await client.make_keys()
    await publish(world, bobs)
    # Each is notified of the others' coming.
    for client in clients:
        for other in clients:
            await client.until_session(other)
    await start(bobs, world.alice, *clients)
    for client in clients:
        await start(client, world.bob, bobs)
    return bobs


@case(direct=True)
async def encrypted(world, count):
    """two clients of alice and one of bob read what each of them encrypts"""
    watcher = world.alices("watcher")
    await watcher.login()
    await watcher.come(carbons=True)
    laptop, tablet = world.profanity("laptop"), world.profanity("tablet")
    bobs = await scene(world, laptop, tablet)
    everybody = [laptop, tablet, bobs]
    bodies = []
    for number in range(3):
        for sender in bobs, laptop, tablet:
            bodies.append("secret %d of %s" % (number, sender.label))
            await encrypted_to_all(sender, everybody, bodies[-1])
    for client in everybody:
        compare(client.label, [m.body for m in client.messages()], bodies)
    await watcher.barrier()
    check_watcher(watcher, bodies)


@case()
async def encrypted_later(world, count):
    """a client that was off reads what was encrypted to it meanwhile"""
    laptop, tablet = world.profanity("laptop"), world.profanity("tablet")
    bobs = await scene(world, laptop, tablet)
    await encrypted_to_all(bobs, [laptop, tablet], "first")
    await tablet.close()
    await encrypted_to_all(bobs, [laptop], "meanwhile of bob")
    await encrypted_to_all(laptop, [bobs], "meanwhile of alice")
    await tablet.login()
    for body in "meanwhile of bob", "meanwhile of alice":
        got = await tablet.until_message(body)
        check(got.how == "omemo", "tablet: %s" % (got,))
    await encrypted_to_all(bobs, [laptop, tablet], "last")
    compare("tablet", [m.body for m in tablet.messages()],
            ["first", "meanwhile of bob", "meanwhile of alice", "last"])


@case(direct=True)
async def encrypted_anew(world, count):
    """alice is notified of bob's new device, and what she writes is for it too"""
    laptop = world.profanity("laptop")
    bobs = await scene(world, laptop)
    since = laptop.lines()
    bobs_phone = world.profanity("bobs-phone", world.bob_name)
    await bobs_phone.login()
    await bobs_phone.make_keys()
    # It does not ask; that is what it is notified of.
    await laptop.until_listed(bobs_phone, since)
    await bobs.until_session(bobs_phone)
    await bobs_phone.until_session(bobs)
    await laptop.enter("/omemo end")
    await start(laptop, world.bob, bobs, bobs_phone)
    await encrypted_to_all(laptop, [bobs, bobs_phone], "to both of bob")
    await start(bobs_phone, world.alice, laptop)
    await encrypted_to_all(bobs_phone, [bobs, laptop], "from the new one")


@case(store=True)
async def encrypted_over_restart(world, count):
    """the proxy is killed: Profanity goes on, and reads what came meanwhile"""
    laptop, tablet = world.profanity("laptop"), world.profanity("tablet")
    bobs = await scene(world, laptop, tablet)
    await encrypted_to_all(bobs, [laptop, tablet], "first")
    since = {client: client.lines() for client in (laptop, tablet)}
    await world.proxy.process.kill()
    await bobs.enter("meanwhile of bob")
    await world.proxy.start()
    for client in laptop, tablet:
        await client.until_log("logged in successfully", since[client])
        await client.until_message("meanwhile of bob")
        # It asks anew for whom it is to encrypt.
        for other in laptop, tablet, bobs:
            await client.until_listed(other, since[client])
    await encrypted_to_all(laptop, [bobs, tablet], "last of laptop")
    await encrypted_to_all(tablet, [bobs, laptop], "last of tablet")
    for client in laptop, tablet, bobs:
        compare(client.label, [m.body for m in client.messages()],
                ["first", "meanwhile of bob", "last of laptop",
                 "last of tablet"])
