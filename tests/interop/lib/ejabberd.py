"""An ejabberd of our own: the Erlang machine is started directly, because
Debian's ejabberdctl insists on its user and on a node name. Without a name
there is no epmd, and two can run side by side. With an archive it is for few
messages: in Mnesia, each costs more than the one before."""

import asyncio
import glob
import json
import os
import shutil
import urllib.error
import urllib.request

from . import net
from .process import Process
from .wait import Failed

CONFIG = """\
loglevel: info
hosts:
  - {domain}
certfiles:
  - {pem}
ca_file: {ca}
auth_password_format: plain
auth_use_cache: false
disable_sasl_mechanisms:
  - digest-md5
  - X-OAUTH2
max_fsm_queue: 200000
s2s_access: none
listen:
  -
    port: {port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    access: c2s
    starttls_required: true
  -
    port: {direct_port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    access: c2s
    tls: true
  -
    port: {api_port}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /api: mod_http_api
acl:
  local:
    user_regexp: ""
  loopback:
    ip:
      - 127.0.0.0/8
access_rules:
  c2s:
    allow: all
api_permissions:
  "loopback":
    who:
      ip: 127.0.0.0/8
    what:
      - "*"
shaper_rules:
  max_user_sessions: 100
  max_user_offline_messages: infinity
modules:
  mod_admin_extra: {{}}
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_client_state: {{}}
  mod_disco: {{}}
  mod_http_api: {{}}
  mod_http_upload:
    access: all
    put_url: "https://upload.{domain}"
    docroot: "{folder}/upload"
  mod_last: {{}}
{archive}  mod_offline: {{}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_pubsub:
    plugins:
      - flat
      - pep
    force_node_config:
      "urn:xmpp:bookmarks:1":
        max_items: 10
  mod_roster:
    versioning: true
  mod_stream_mgmt:
    resend_on_timeout: if_offline
  mod_time: {{}}
  mod_vcard: {{}}
  mod_version: {{}}
"""

ARCHIVE = """\
  mod_mam:
    db_type: mnesia
    default: always
"""


class Ejabberd:
    name = "ejabberd"
    has_carbons = True

    def __init__(self, folder, authority, domain="ejabberd.test",
                 archive=False):
        self.folder = os.path.abspath(folder)
        self.domain = domain
        self.ca = authority.ca
        self.has_archive = archive
        self.host = net.HOST
        self.port, self.direct_port, self._api_port = net.free_ports(3)
        os.makedirs(os.path.join(self.folder, "spool"), exist_ok=True)
        self.process = Process(self.name, self.folder + "/output.log")
        self._config = self.folder + "/ejabberd.yml"
        pem = self.folder + "/server.pem"
        with open(pem, "wb") as out:
            for part in authority.issue(domain):
                with open(part, "rb") as f:
                    shutil.copyfileobj(f, out)
        with open(self._config, "w") as f:
            f.write(CONFIG.format(
                domain=domain, folder=self.folder, pem=pem, ca=self.ca, port=self.port,
                archive=ARCHIVE if archive else "",
                direct_port=self.direct_port, api_port=self._api_port))

    async def start(self):
        beams = glob.glob("/usr/lib/*/ejabberd-*/ebin")
        if not beams:
            raise Failed("ejabberd is not installed")
        env = dict(
            os.environ, HOME=self.folder,
            ERL_LIBS=os.path.dirname(os.path.dirname(beams[0])),
            ERL_CRASH_DUMP=self.folder + "/crash.dump",
            EJABBERD_CONFIG_PATH=self._config,
            EJABBERD_LOG_PATH=self.folder + "/ejabberd.log")
        await self.process.start(
            "erl", "-noinput", "+K", "true", "+S", "2:2", "+sbwt", "none",
            "+sbwtdcpu", "none", "+sbwtdio", "none", "-mnesia", "dir",
            '"%s/spool"' % self.folder, "-s", "ejabberd",
            cwd=self.folder, env=env)
        await self.process.until_ready(
            lambda: net.speaks_xmpp(self.port, self.domain), 60)

    async def stop(self):
        return await self.process.stop()

    async def _call(self, command, **arguments):
        request = urllib.request.Request(
            "http://%s:%d/api/%s" % (net.HOST, self._api_port, command),
            json.dumps(arguments).encode(),
            {"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            answer = await asyncio.to_thread(opener.open, request, None, 20)
        except urllib.error.HTTPError as e:
            raise Failed("ejabberd %s: %s" % (command, e.read())) from None
        answer.close()

    async def add_user(self, name, password, friends=()):
        """friends: local parts on this server, or bare JIDs; subscribed both
        ways."""
        await self._call("register", user=name, host=self.domain,
                         password=password)
        for friend in friends:
            user, _, domain = friend.partition("@")
            await self._call(
                "add_rosteritem", localuser=name, localhost=self.domain,
                user=user, host=domain or self.domain, nick=user, group="",
                subs="both")
