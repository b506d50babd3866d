"""The store, and what the program tells of itself."""

import os
import re
import signal

from lib.case import case
from lib.proxy import Account, Proxy
from lib.wait import check, poll
from lib.world import PASSWORD, PROXY_PASSWORD

ONE = ("prosody",)
EX_TEMPFAIL = 75


@case(servers=ONE, store=True)
async def second_process(world, count):
    """a second process on the same store is refused; the first does not care"""
    desk = world.alices("desk")
    await desk.login()
    await desk.come()
    store = os.path.join(world.proxy.folder, "xmpproxy.db")
    other = Proxy(
        os.path.join(world.folder, "second-" + world.alice_name),
        world.authority, [world.server.domain],
        [({"name": world.alice_name, "passwd": PROXY_PASSWORD},
          [Account(world.alice, PASSWORD, world.server.port,
                   world.server.ca)])], store=store)
    await other.run()
    await poll(lambda: other.process.status is not None, 20, "it ends")
    check(other.process.status == EX_TEMPFAIL,
          "exit status %d" % other.process.status)
    said = other.process.output()
    check("%s: another process uses it" % store in said, said)
    bob = await world.bob_comes()
    bob.say(world.alice, "still there?")
    await desk.until_body("still there?")


@case(servers=ONE)
async def pauses(world, count):
    """SIGUSR1: how long the loop was busy, since it was last asked"""
    bob = await world.bob_comes()
    desk = world.alices("desk")
    await desk.login()
    await desk.come()
    for i in range(100):
        bob.say(world.alice, "%d" % i)
    await desk.until_bodies(100, 20)
    told = []
    for _ in range(2):
        os.kill(world.proxy.process.pid, signal.SIGUSR1)
        lines = await poll(lambda: world.proxy.log_lines("event=pauses")[
            len(told):], 20, "the pauses are told")
        told.append({k: int(v) for k, v in
                     re.findall(r"(\w+)=(\d+)", lines[0])})
    first, second = told
    check(first["turns"] > second["turns"] and 0 < first["p50_us"]
          <= first["p99_us"] <= first["p999_us"] <= first["max_us"],
          "%s" % told)
