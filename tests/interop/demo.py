#!/usr/bin/python3
"""Shows xmpproxy at work: three real clients of alice's one account, and bob.

A Prosody is set up for it on loopback, in a folder that is thrown away, and
with it a proxy.xml. What is printed is what the clients received.
"""

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from lib import proxy, stanza, strophe
from lib.client import SlixmppClient
from lib.pki import Authority
from lib.process import Process
from lib.prosody import Prosody
from lib.strophe import StropheClient
from lib.wait import Failed

DOMAIN = "demo.test"
ALICE = "alice@" + DOMAIN
BOB = "bob@" + DOMAIN
ACCOUNT_PASSWORD = "alice-on-the-server"
PASSWORD = "alice-on-the-proxy"
BOB_PASSWORD = "bob-on-the-server"
PORTS = 15222, 15223
SECONDS = 20

WORDS = {"plain": "got it", "sent": "copy", "note": "note",
         "received": "copy"}


class Show:
    """Who wrote what, and who got it how often."""

    def __init__(self, people):
        self.people = people            # the columns
        self.width = 42
        self.wanted = {p: [] for p in people}   # bodies each is to get
        self.missed = {p: [] for p in people}   # while it was off
        self.here = set(people)
        self.deliveries = 0

    def row(self, text, cells):
        print("  %-*s  %s" % (self.width, text,
                              "".join("%-10s" % c for c in cells).rstrip()),
              flush=True)

    def head(self):
        self.row("", [p.label for p in self.people])
        self.row("", ["-" * 8] * len(self.people))

    def event(self, text):
        print("  * " + text, flush=True)

    async def cell(self, person, writer, body):
        if person is writer:
            return "wrote"
        if person not in self.here:
            self.missed[person].append(body)
            return "off"
        got = await self.delivery(person, body)
        return WORDS[got.how] if got else "LOST"

    async def delivery(self, person, body):
        self.wanted[person].append(body)
        try:
            got = await person.until_body(body, SECONDS)
        except Failed:
            return None
        self.deliveries += 1
        return got

    async def say(self, writer, body):
        writer.say(ALICE if writer.label == "bob" else BOB, body)
        self.row("%-5s -> %-5s  %s" % (
            writer.label, "alice" if writer.label == "bob" else "bob", body),
            [await self.cell(p, writer, body) for p in self.people])

    def leave(self, *people):
        self.here -= set(people)

    async def come(self, person):
        """Returns what it missed, None for what was lost."""
        self.here.add(person)
        missed, self.missed[person] = self.missed[person], []
        return [await self.delivery(person, body) for body in missed]

    def faults(self):
        """What somebody did not get, or got twice, or in another order."""
        found = []
        for person, wanted in self.wanted.items():
            got = [d.body for d in person.deliveries]
            if got != wanted:
                found.append("%s got %s, not %s" % (person.label, got, wanted))
        return found


async def until_bob_sees(bob, show):
    def look():
        seen = [stanza.availability(e) for e in bob.stanzas
                if stanza.is_presence(e)
                and stanza.bare(e.get("from")) == ALICE]
        return seen[-1:] == [(True, show)]
    await bob.until(look, SECONDS, "bob sees alice as %s" % show)


async def until_there(client, since):
    """Until the client sees bob available."""
    await client.until_presence(
        lambda p: stanza.bare(p.get("from")) == BOB and p.get("type") is None,
        SECONDS, "bob's presence", since)


async def come(client):
    await client.login()
    await client.come(carbons=client.kind == "slixmpp")
    await until_there(client, 0)


async def killed(show, the_proxy, desk, phone, term, bob):
    """The proxy is killed in the middle; phone is off before that, and comes
    back after it."""
    before = len(bob.stanzas)
    phone.cut()
    await phone.until(lambda: not phone.is_up, SECONDS, "phone is off")
    show.leave(phone)
    show.event("phone lost its network")
    await show.say(bob, "Bring the book, please.")
    await the_proxy.process.kill()
    await the_proxy.start()
    for client in desk, term:
        await client.resume()
    show.event("the proxy was killed and started again; desk and term went on")
    await show.say(desk, "I have it with me.")
    await phone.resume()
    missed = await show.come(phone)
    show.event("phone is back and gets %s; of all that bob saw %s" % (
        "both" if all(missed) else "NOT ALL",
        "ALICE FLAP" if any(map(stanza.is_presence, bob.stanzas[before:]))
        else "nothing"))


async def server_restarted(show, server, clients, bob):
    since = [len(c.stanzas) for c in clients]
    await server.stop()
    await server.start()
    await bob.login()
    await bob.come()
    for client, n in zip(clients, since):
        await until_there(client, n)
    show.event("the server was stopped and started again; %s" % (
        "all stayed logged in" if all(c.logins == 1 for c in clients)
        else "CLIENTS HAD TO LOG IN AGAIN"))


async def play(show, the_proxy, server, desk, phone, term, bob):
    await show.say(bob, "Lunch at one?")
    await show.say(desk, "Gladly. Where?")
    await show.say(bob, "The place by the river.")
    await show.say(phone, "I am on my way")
    await show.say(term, "(written in a terminal)")
    await killed(show, the_proxy, desk, phone, term, bob)
    await server_restarted(show, server, (desk, phone, term), bob)
    await show.say(term, "Who else comes?")
    again = [c for c in (desk, phone, term) if c.logins != 1]

    for client in desk, phone, term:
        await client.close()
        show.leave(client)
    await until_bob_sees(bob, "xa")
    show.event("all of alice's clients are off; bob sees her as away")
    await show.say(bob, "Are you there already?")
    await show.say(bob, "I am in the corner.")
    await bob.barrier(ALICE)     # the proxy has them
    await come(phone)
    late = await show.come(phone)
    timeless = [got for got in late if got is not None and got.delay is None]
    show.event("phone is back and gets both%s" % (
        "; NO TIME" if timeless else ", with the time they were sent"))
    await show.say(phone, "I see you!")
    return ["%s had to log in again" % c.label for c in again] + \
        ["phone was not told when %r was sent" % t.body for t in timeless]


def legend():
    print("""
  got it   the message itself
  copy     a carbon copy (XEP-0280) of what another client of alice wrote
  note     the same for a client that knows no carbons, as a text after "»"
""")


def fingerprint(certificate):
    out = subprocess.check_output(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256",
         "-in", certificate])
    return out.decode().partition("=")[2].strip()


def how_to_join(the_proxy, server, authority):
    print("""
Now with your own client. Everything is at %(host)s:

  one account      alice@%(domain)s, server %(host)s, port %(port)d
  all of alice     alice@%(node)s, server %(host)s, port %(port)d
  password         %(password)s
  TLS              STARTTLS on port %(port)d, direct TLS on port %(direct)d
  certificate      of a test authority made for this run; either accept it, if
                   its SHA-256 fingerprint is
                   %(print)s
                   or give your client the authority:
                   %(ca)s
  Profanity        /connect alice@%(domain)s server %(host)s port %(port)d
  Gajim            Add Account, Advanced Settings: host and port as above

bob is at the server itself: bob@%(domain)s, %(host)s, port %(server_port)d, password
%(bob_password)s. Until you are bob, he answers you himself.
proxy.xml and all logs are in %(folder)s

Ctrl-C ends all of it and removes the folder.""" % {
        "host": the_proxy.host, "port": the_proxy.port,
        "direct": the_proxy.direct_port, "domain": DOMAIN, "node": proxy.NODE,
        "password": PASSWORD, "bob_password": BOB_PASSWORD,
        "server_port": server.port, "ca": authority.ca,
        "print": fingerprint(authority.issue(proxy.NODE).chain),
        "folder": the_proxy.folder}, flush=True)


async def answer(bob):
    """bob answers whatever is written to him."""
    at = len(bob.deliveries)
    while True:
        await bob.until_bodies(at + 1, 3600 * 24 * 365)
        got = bob.deliveries[at]
        at += 1
        print("  %s -> bob: %s" % (stanza.bare(got.frm), got.body), flush=True)
        bob.say(ALICE, "You wrote: " + got.body)


def client_of(kind, label, jid, password, there, *args, **options):
    return kind(*args, label, "%s/%s" % (jid, label), password, there.host,
                there.port, there.ca, **options)


async def demo(folder, once):
    authority = Authority(os.path.join(folder, "ca"))
    path = strophe.program(folder)
    server = Prosody(os.path.join(folder, "prosody"), authority, DOMAIN)
    await server.add_user("alice", ACCOUNT_PASSWORD, ["bob"])
    await server.add_user("bob", BOB_PASSWORD, ["alice"])
    the_proxy = proxy.Proxy(
        folder, authority, [DOMAIN],
        [({"name": "alice", "passwd": PASSWORD},
          [proxy.Account(ALICE, ACCOUNT_PASSWORD, server.port, server.ca)])],
        ports=PORTS, store="xmpproxy.db")
    await server.start()
    await the_proxy.start()

    desk, phone = (client_of(SlixmppClient, label, ALICE, PASSWORD, the_proxy,
                             plugins=("xep_0198",))
                   for label in ("desk", "phone"))
    term = client_of(StropheClient, "term", ALICE, PASSWORD, the_proxy, path)
    bob = client_of(SlixmppClient, "bob", BOB, BOB_PASSWORD, server)
    show = Show([desk, phone, term, bob])
    print("""
alice has one account, on a real server (Prosody). Her three clients are on it
through xmpproxy: desk and phone (slixmpp, with carbons), term (libstrophe,
without); all can resume their streams. bob is on the server as anybody is.
""")
    try:
        await bob.login()
        await bob.come()
        await asyncio.gather(*map(come, (desk, phone, term)))
        await until_bob_sees(bob, None)
        show.head()
        faults = await play(show, the_proxy, server, desk, phone, term, bob)
        faults += show.faults()
        legend()
        if faults:
            print("NOT everyone got everything:\n  " + "\n  ".join(faults))
        else:
            print("everyone got everything: %d deliveries, none lost, none"
                  " twice" % show.deliveries)
        if not once:
            await phone.close()
            how_to_join(the_proxy, server, authority)
            await answer(bob)
        return not faults
    finally:
        for client in desk, phone, term, bob:
            await client.close()
        await the_proxy.stop()
        await server.stop()


async def until_interrupted(folder, once):
    """Whether everyone got everything."""
    task = asyncio.ensure_future(demo(folder, once))
    for sig in signal.SIGINT, signal.SIGTERM:
        asyncio.get_running_loop().add_signal_handler(sig, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return not once
    except Failed as e:
        print("\nThis did not go as it should: %s" % e)
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--once", action="store_true",
                        help="end after the conversation; exit status 0 only"
                        " if everyone got everything")
    opts = parser.parse_args()
    sys.stdout.reconfigure(errors="replace")
    folder = tempfile.mkdtemp(prefix="xmpproxy-demo-")
    good = False
    try:
        good = asyncio.run(until_interrupted(folder, opts.once))
    finally:
        Process.kill_all()
        if good:
            shutil.rmtree(folder)
        else:
            print("The logs are in " + folder)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
