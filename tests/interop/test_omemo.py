"""Encryption between real clients (OMEMO, XEP-0384, as Profanity speaks it):
two of alice, and one of bob that is straight on the server."""

import functools

from lib import stanza
from lib.case import case
from lib.profanity import Unlucky
from lib.wait import check
from test_messages import compare

ENCRYPTED = "{eu.siacs.conversations.axolotl}encrypted"
TRIES = 4


def lucky(play):
    """Makes a case of play(scene), which is played again where the clients
    were out of luck; about one time in thirty they are."""
    @functools.wraps(play)
    async def played(world, count):
        for number in range(TRIES):
            scene = Scene(world, number)
            try:
                return await play(scene)
            except Unlucky:
                if number == TRIES - 1:
                    raise
            await scene.close()
    return played


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


class Scene:
    def __init__(self, world, number):
        self.world = world
        self._is_again = number > 0
        self._end = str(number or "")
        self._clients = []

    def profanity(self, label, name=None):
        client = self.world.profanity(label + self._end, name)
        self._clients.append(client)
        return client

    async def close(self):
        for client in self._clients:
            await client.close()

    def read(self, client):
        """All that it was shown. Of a try before this one, what reached nobody
        comes to new clients, which have no keys for it."""
        return [m.body for m in client.messages()
                if m.how == "omemo" or not self._is_again]

    async def publish(self, client):
        """Keys and device list; the client is its user's first."""
        await client.make_keys()
        if self.world.server.name == "Prosody":
            # It sends no error codes (XEP-0086), and Profanity looks at
            # nothing else to see that there is no list yet. Notified of an
            # empty one it adds itself.
            await client.enter("/omemo clear_device_list")
        await client.until_session(client)

    async def begin(self, *labels):
        """alice's clients and bob's, in this order; keys of all are where they
        have to be: bob's can write to all of alice's, and they to it and to
        each other."""
        clients = [self.profanity(label) for label in labels]
        bobs = self.profanity("bobs", self.world.bob_name)
        for client in *clients, bobs:
            await client.login()
        await self.publish(clients[0])
        for client in clients[1:]:
            await client.make_keys()
        await self.publish(bobs)
        # Each is notified of the others' coming.
        for client in clients:
            for other in clients:
                await client.until_session(other)
        await start(bobs, self.world.alice, *clients)
        for client in clients:
            await start(client, self.world.bob, bobs)
        return *clients, bobs


@case(direct=True)
@lucky
async def encrypted(scene):
    """two clients of alice and one of bob read what each of them encrypts"""
    watcher = scene.world.alices("watcher")
    await watcher.login()
    await watcher.come(carbons=True)
    everybody = laptop, tablet, bobs = await scene.begin("laptop", "tablet")
    bodies = []
    for number in range(3):
        for sender in bobs, laptop, tablet:
            bodies.append("secret %d of %s" % (number, sender.label))
            await encrypted_to_all(sender, everybody, bodies[-1])
    for client in everybody:
        compare(client.label, scene.read(client), bodies)
    await watcher.barrier()
    check_watcher(watcher, bodies)


@case()
@lucky
async def encrypted_later(scene):
    """a client that was off reads what was encrypted to it meanwhile"""
    laptop, tablet, bobs = await scene.begin("laptop", "tablet")
    since = tablet.lines()
    await encrypted_to_all(bobs, [laptop, tablet], "first")
    # What it does not acknowledge comes again, and the key for it is gone.
    since = await tablet.until_log("[OMEMO][RECV] decrypting", since)
    await tablet.until_log("SENT: <a ", since)
    await tablet.close()
    await encrypted_to_all(bobs, [laptop], "meanwhile of bob")
    await encrypted_to_all(laptop, [bobs], "meanwhile of alice")
    await tablet.login()
    for body in "meanwhile of bob", "meanwhile of alice":
        got = await tablet.until_message(body)
        check(got.how == "omemo", "tablet: %s" % (got,))
    await encrypted_to_all(bobs, [laptop, tablet], "last")
    compare("tablet", scene.read(tablet),
            ["first", "meanwhile of bob", "meanwhile of alice", "last"])


@case(direct=True)
@lucky
async def encrypted_anew(scene):
    """alice is notified of bob's new device, and what she writes is for it too"""
    world = scene.world
    laptop, bobs = await scene.begin("laptop")
    since = laptop.lines()
    bobs_phone = scene.profanity("bobs-phone", world.bob_name)
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
@lucky
async def encrypted_over_restart(scene):
    """the proxy is killed: Profanity goes on, and reads what came meanwhile"""
    laptop, tablet, bobs = await scene.begin("laptop", "tablet")
    await encrypted_to_all(bobs, [laptop, tablet], "first")
    since = {client: client.lines() for client in (laptop, tablet)}
    await scene.world.proxy.process.kill()
    await bobs.enter("meanwhile of bob")
    await scene.world.proxy.start()
    for client in laptop, tablet:
        await client.until_log("logged in successfully", since[client])
        await client.until_message("meanwhile of bob")
        # It asks anew for whom it is to encrypt.
        for other in laptop, tablet, bobs:
            await client.until_listed(other, since[client])
    await encrypted_to_all(laptop, [bobs, tablet], "last of laptop")
    await encrypted_to_all(tablet, [bobs, laptop], "last of tablet")
    for client in laptop, tablet, bobs:
        compare(client.label, scene.read(client),
                ["first", "meanwhile of bob", "last of laptop",
                 "last of tablet"])
