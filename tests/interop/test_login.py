"""Logging in, down here and up there, and what has to be refused."""

import asyncio
import os

from lib import stanza
from lib.case import case
from lib.channel import Channel
from lib.client import TLS_1_2, SlixmppClient
from lib.pki import Authority
from lib.prosody import Prosody
from lib.proxy import NODE, Account, Proxy
from lib.raw import RawClient
from lib.strophe import StropheClient
from lib.wait import Failed, check
from lib.world import PASSWORD, PROXY_PASSWORD

ONE = ("prosody",)


@case(direct=True, servers=("prosody", "prosody-old", "ejabberd"))
async def every_kind(world, count):
    """both libraries log in with STARTTLS and with direct TLS"""
    kinds = [(SlixmppClient, "starttls", {}), (SlixmppClient, "direct", {}),
             (SlixmppClient, "starttls", {"max_tls": TLS_1_2}),
             (StropheClient, "starttls", {}), (StropheClient, "direct", {}),
             (RawClient, "starttls", {}), (RawClient, "direct", {})]
    for i, (kind, tls, options) in enumerate(kinds):
        client = world.alices("c%d" % i, kind, tls=tls, **options)
        await client.login()
        await client.come()
        check(client.jid == "%s/c%d" % (world.alice, i),
              "bound as %s" % client.jid)


@case(servers=ONE)
async def mechanisms(world, count):
    """SCRAM and PLAIN each, in both views"""
    for i, mechanism in enumerate(("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN")):
        for node in False, True:
            client = world.alices("m%d" % i, node=node, mechanism=mechanism,
                                  binds=False)
            await client.login()
            check(client.mechanism == mechanism, client.mechanism)


@case(servers=ONE)
async def many_logins(world, count):
    """a client that tries its mechanisms one by one is no password guesser"""
    # slixmpp takes tls-unique for a binding of TLS 1.3, which it is not, and
    # is refused with all kinds of SCRAM before it comes to PLAIN.
    for i in range(40):
        client = world.alices("c%d" % i)
        await client.login()
        await client.close()


@case(servers=ONE)
async def channel_binding(world, count):
    """a client binds its login to the TLS channel (tls-unique)"""
    for mechanism in "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS":
        client = world.alices("bound", mechanism=mechanism, max_tls=TLS_1_2)
        await client.login()
        check(client.mechanism == mechanism and
              client.tls_version == "TLSv1.2",
              "%s over %s" % (client.mechanism, client.tls_version))
        await client.close()


@case(servers=ONE)
async def channel_binding_1_3(world, count):
    """the same on TLS 1.3 (tls-exporter); another channel's key is refused"""
    def channel():
        return Channel(world.proxy.host, world.proxy.direct_port,
                       world.server.domain, world.proxy.ca)
    async with channel() as first, channel() as second:
        for word in "<mechanism>SCRAM-SHA-256-PLUS<", "type='tls-exporter'":
            check(word in first.features, first.features)
        await first.login(world.alice_name, PROXY_PASSWORD)
        try:
            await second.login(world.alice_name, PROXY_PASSWORD, first.key)
        except Failed as e:
            check("not-authorized" in str(e), str(e))
        else:
            check(False, "bound to another channel")


@case(servers=ONE, direct=True)
async def wrong_password(world, count):
    """a wrong password and an unknown name are refused, the right one is not"""
    for kind in SlixmppClient, StropheClient, RawClient:
        client = world.alices("wrong", kind, password="wrong")
        await client.login_fails()
        await client.close()
    texts = []
    for name in world.alice, "nobody@" + world.server.domain:
        client = world.alices("wrong", RawClient, password="wrong")
        client.jid = name
        await client.login_fails()
        texts.append(client.ended.partition("login: ")[2])
    check(texts[0] == texts[1] and "not-authorized" in texts[0],
          "not alike: %s" % texts)
    right = world.alices("right")
    await right.login()


@case(servers=ONE, direct=True)
async def conflict(world, count):
    """the same resource again closes the older session with conflict"""
    first = world.alices("desk", RawClient)
    await first.login()
    await first.come()
    second = world.alices("desk")
    await second.login()
    await first.until(lambda: first.ended, 20, "the first is closed")
    check("conflict" in first.ended, first.ended)
    check(second.jid == world.alice + "/desk", second.jid)
    await second.come()


@case(servers=ONE, direct=True)
async def no_resource(world, count):
    """without a resource asked for, one is made"""
    made = set()
    for _ in range(2):
        client = world.alices("", SlixmppClient)
        client.jid = world.alice
        await client.login()
        made.add(stanza.resource(client.jid))
    check(len(made) == 2 and "" not in made, "made %s" % made)


@case(begin=False)
async def upstream_direct_tls(world, count):
    """an account with tls="direct" """
    await world.begin(account={"port": world.server.direct_port,
                               "tls": "direct"})
    bob = await world.bob_comes()
    desk = world.alices("desk")
    await desk.login()
    check(list(await desk.come()) == [bob.bare], "no roster")


def notices(client):
    """What the proxy itself told it."""
    return [e.findtext(stanza.CLIENT + "body") for e in client.stanzas
            if e.tag == stanza.CLIENT + "message" and e.get("from") == NODE]


@case(begin=False)
async def wrong_upstream_password(world, count):
    """an account's wrong password: the user is told, and no storm of tries"""
    await world.begin(account={"password": "wrong"})
    await world.proxy.until_log("WARN", world.alice, "not-authorized")
    for label in "desk", "phone":
        client = world.alices(label)
        await client.login()
        answer = await client.iq("get", "<query xmlns='jabber:iq:roster'/>",
                                 seconds=5)
        check("not-authorized" in stanza.text(answer), stanza.text(answer))
        client.send(stanza.presence())
        await client.until(lambda: notices(client), 10,
                           "%s is told" % label)
        check(len(notices(client)) == 1
              and world.alice + ": not-authorized" in notices(client)[0],
              "%s is told %s" % (label, notices(client)))
    # A first pause of one second would be over.
    await asyncio.sleep(3)
    tries = world.proxy.log_lines("event=upstream-failed")
    check(len(tries) == 1, "%d tries" % len(tries))


async def refused_upstream(world, server, ca, *words):
    """The proxy is not to log in at that server, and says so in its log."""
    proxy = Proxy(
        os.path.join(world.folder, "proxy-" + world.alice_name),
        world.authority, [server.domain],
        [({"name": "alice", "passwd": PROXY_PASSWORD},
          [Account("alice@" + server.domain, PASSWORD, server.port, ca)])])
    await proxy.start()
    try:
        found = await proxy.until_log(*words)
        check(any("WARN" in f or "ERROR" in f for f in found),
              "not a warning: %s" % found)
        log = os.path.join(server.folder, "prosody.log")
        with open(log) as f:
            check("Authenticated as" not in f.read(), "it logged in")
    finally:
        await proxy.stop()


async def with_server(world, name, certificate, play):
    server = Prosody(os.path.join(world.folder, name), world.authority,
                     domain="wanted.test", certificate=certificate)
    await server.add_user("alice", PASSWORD)
    await server.start()
    try:
        await play(server)
    finally:
        await server.stop()


@case(servers=ONE, begin=False)
async def wrong_domain(world, count):
    """a server with another domain's certificate is refused, and it is said"""
    await with_server(
        world, "wrong-domain", world.authority.issue("other.test"),
        lambda server: refused_upstream(
            world, server, server.ca, "wanted.test", "certificate"))


@case(servers=ONE, begin=False)
async def unknown_authority(world, count):
    """a certificate of nobody we trust is refused, and it is said"""
    other = await asyncio.to_thread(
        Authority, os.path.join(world.folder, "other-ca"))
    await with_server(
        world, "unknown-ca", other.issue("wanted.test"),
        lambda server: refused_upstream(
            world, server, world.authority.ca, "wanted.test", "certificate"))
