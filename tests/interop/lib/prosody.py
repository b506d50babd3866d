"""A Prosody of our own: own folder, own ports, this user, loopback only."""

import os

from . import net
from .process import Process

FULL = ("roster saslauth tls disco presence message iq version uptime time "
        "ping pep private blocklist vcard4 vcard_legacy carbons mam smacks "
        "csi offline c2s lastactivity")
# What a server had before carbons, archives and stream management.
OLD = ("roster saslauth tls disco presence message iq version time ping "
       "private offline c2s")
# What Prosody has without which nobody can use it.
BARE = "roster saslauth tls disco presence message iq offline c2s"

CONFIG = """\
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
log = {{ {{ levels = {{ min = "info" }}, to = "file",
	filename = "{folder}/prosody.log" }} }}
network_backend = "epoll"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{ {direct_port} }}
s2s_ports = {{ }}
http_ports = {{ }}
https_ports = {{ }}
modules_enabled = {{ {modules} }}
modules_disabled = {{ "s2s" }}
authentication = "internal_plain"
storage = "internal"
c2s_require_encryption = true
allow_unencrypted_plain_auth = false
smacks_max_unacked_stanzas = 100
ssl = {{ certificate = "{chain}", key = "{key}" }}
certificates = "{folder}"
{extra}VirtualHost "{domain}"
"""
# Slots are given; nobody listens where they lead.
UPLOAD = """\
Component "upload.{domain}" "http_file_share"
	http_external_url = "https://upload.{domain}/"
"""


def lua(text):
    """A string as Lua writes it."""
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def file_name(text):
    """As Prosody's internal storage names its files."""
    return "".join(c if c.isascii() and c.isalnum() else "%%%02x" % ord(c)
                   for c in text)


class Prosody:
    name = "Prosody"

    def __init__(self, folder, authority, domain="prosody.test", kind=FULL,
                 certificate=None, ports=(), modules="", extra=""):
        """kind: FULL, OLD or BARE. ports: taken where they are free; STARTTLS
        first. modules, extra: further ones, and further lines of the global
        section."""
        self.folder = os.path.abspath(folder)
        self.domain = domain
        self.ca = authority.ca
        self.has_carbons = self.has_archive = kind == FULL
        self.host = net.HOST
        self.port, self.direct_port = net.free_ports(2, ports)
        os.makedirs(os.path.join(self.folder, "data"), exist_ok=True)
        self.process = Process(self.name, self.folder + "/output.log")
        self._config = self.folder + "/prosody.cfg.lua"
        chain, key = certificate or authority.issue(domain)
        with open(self._config, "w") as f:
            f.write((CONFIG + (UPLOAD if kind == FULL else "")).format(
                folder=self.folder, port=self.port, domain=domain,
                direct_port=self.direct_port, chain=chain, key=key,
                extra=extra,
                modules=", ".join(map(lua, (kind + " " + modules).split()))))

    async def start(self):
        await self.process.start("prosody", "--config", self._config, "-F",
                                 cwd=self.folder)
        await self.process.until_ready(
            lambda: net.speaks_xmpp(self.port, self.domain), 30)

    async def stop(self):
        return await self.process.stop()

    def _write(self, store, user, text):
        folder = os.path.join(self.folder, "data", file_name(self.domain),
                              store)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, file_name(user) + ".dat"), "w") as f:
            f.write("return %s;\n" % text)

    async def add_user(self, name, password, friends=()):
        """friends: local parts on this server, or bare JIDs; subscribed both
        ways."""
        self._write("accounts", name, '{ ["password"] = %s }' % lua(password))
        items = ""
        for friend in friends:
            user, _, domain = friend.partition("@")
            items += ('[%s] = { ["subscription"] = "both", ["groups"] = { }, '
                      '["name"] = %s }; '
                      % (lua("%s@%s" % (user, domain or self.domain)),
                         lua(user)))
        self._write("roster", name,
                    '{ [false] = { ["version"] = 1 }; %s}' % items)
