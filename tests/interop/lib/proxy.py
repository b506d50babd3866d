"""xmpproxy with a proxy.xml made for the occasion."""

import os
import shlex
from xml.sax.saxutils import quoteattr

from . import net
from .process import Process
from .wait import Failed, poll

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
NODE = "proxy.test"


def command():
    """The program, behind the tool that XMPPROXY puts before it, if any."""
    words = shlex.split(os.environ.get("XMPPROXY", "")) or \
        [os.path.join(ROOT, "xmpproxy")]
    if not os.access(words[-1], os.X_OK):
        raise Failed("%s is not there: make builds it" % words[-1])
    return words[:-1] + [os.path.abspath(words[-1])]


def attributes(**values):
    """As they stand in a start tag; None is left out, _ is -."""
    return "".join(" %s=%s" % (key.replace("_", "-"), quoteattr(str(value)))
                   for key, value in values.items() if value is not None)


class Account:
    """An account on a real server, as proxy.xml has it."""

    def __init__(self, jid, password, port, ca, tls="starttls",
                 resource="xmpproxy"):
        self.words = attributes(jid=jid, passwd=password, resource=resource,
                                host=net.HOST, port=port, tls=tls, ca=ca)


class Proxy:
    def __init__(self, folder, authority, domains, users, limits=None,
                 ports=(), store=":memory:"):
        """domains: of the accounts. users: [(attributes, [Account])]. ports:
        taken where they are free: STARTTLS, direct TLS, and none at all."""
        self.folder = os.path.abspath(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.ca = authority.ca
        self.host = net.HOST
        self.port, self.direct_port, self.plain_port = \
            net.free_ports(3, ports)
        self.config = os.path.join(self.folder, "proxy.xml")
        self.process = Process("xmpproxy", self.folder + "/proxy.log")
        chain, key = authority.issue(NODE, *domains)
        lines = ["<config>", "    <node%s/>" % attributes(name=NODE)]
        for port, tls in ((self.port, "starttls"),
                          (self.direct_port, "direct"),
                          (self.plain_port, "none")):
            lines.append("    <listen%s/>" % attributes(
                address=self.host, port=port, tls=tls))
        lines.append("    <certificate%s/>" % attributes(chain=chain, key=key))
        lines.append("    <store%s/>" % attributes(path=store))
        if limits:
            lines.append("    <limits%s/>" % attributes(**limits))
        for user, accounts in users:
            lines.append("    <user%s>" % attributes(**user))
            lines += ["        <account%s/>" % a.words for a in accounts]
            lines.append("    </user>")
        lines.append("</config>")
        with open(os.open(self.config, os.O_CREAT | os.O_WRONLY | os.O_TRUNC,
                          0o600), "w") as f:
            f.write("\n".join(lines) + "\n")

    async def start(self):
        await self.run()
        await self.process.until_ready(
            lambda: net.speaks_xmpp(self.port, NODE), 30)

    async def run(self):
        """Without waiting until it is ready."""
        env = dict(os.environ)
        env.setdefault("LOGLEVEL", "DEBUG")
        await self.process.start(*command(), "--conffile", self.config,
                                 cwd=self.folder, env=env)

    async def stop(self):
        """Fails where it did not end well: sanitizers speak at the end."""
        was_running = self.process.is_running()
        status = await self.process.stop()
        if not was_running or status != 0:
            raise Failed("xmpproxy %s with %s:\n%s" % (
                "ended" if was_running else "died", status,
                self.process.tail()))

    def log_lines(self, *words):
        """The lines of its log in which all words stand."""
        return [line for line in self.process.output().splitlines()
                if all(word in line for word in words)]

    async def until_log(self, *words, seconds=20):
        return await poll(lambda: self.log_lines(*words), seconds,
                          "xmpproxy logs %s" % " ".join(words))
