#!/usr/bin/python3
"""Real clients talk through xmpproxy to real servers; one line a case.

The last line is "N passed, N failed", and the exit status says the same.
XMPPROXY is the program (./xmpproxy), maybe with a tool and its options before
it, BUILD the folder that strophe_client was built in (else it is compiled for
the run), PATIENCE a factor on all deadlines, LOGLEVEL what the proxy logs
(DEBUG).
"""

import argparse
import asyncio
import glob
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

from lib.case import cases
from lib.ejabberd import Ejabberd
from lib.pki import Authority
from lib.process import Process
from lib.prosody import BARE, FULL, OLD, Prosody
from lib.strophe import program
from lib.wait import PATIENCE, Failed
from lib.world import World

HERE = os.path.dirname(os.path.abspath(__file__))
# What a thousand messages may add to the time of a case.
SECONDS_A_THOUSAND = 30


def options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--server", default="both",
                        choices=["prosody", "ejabberd", "three", "both"])
    parser.add_argument("--only", action="append", default=[],
                        help="cases whose name has this in it")
    parser.add_argument("--messages", type=int, default=1000,
                        help="of those that count messages (%(default)s)")
    parser.add_argument("--seconds", type=int, default=1800,
                        help="for all together (%(default)s)")
    parser.add_argument("--direct", action="store_true",
                        help="without a proxy: does the harness work?")
    parser.add_argument("--list", action="store_true", help="only name them")
    parser.add_argument("--keep", action="store_true",
                        help="keep the folder with all logs")
    return parser.parse_args()


def chosen(opts):
    """(server, case) in the order of play."""
    for path in sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        importlib.import_module(os.path.basename(path)[:-3])
    for server in ("prosody", "prosody-old", "ejabberd", "ejabberd-archive",
                   "three"):
        if opts.server not in ("both", server.partition("-")[0]):
            continue
        for case in cases:
            if server in case.servers and (case.direct or not opts.direct) \
                    and (not opts.only
                         or any(word in case.name for word in opts.only)):
                yield server, case


class Run:
    def __init__(self, opts, folder):
        self.opts = opts
        self.folder = folder
        self.authority = Authority(os.path.join(folder, "ca"))
        self.strophe = program(folder)
        self._name = None
        self.servers = []
        self.passed = self.failed = 0

    def _made(self, name):
        """The servers that go by that name, not started."""
        folder = os.path.join(self.folder, name)
        if name == "three":
            return [Prosody(folder + "/prosody", self.authority),
                    Ejabberd(folder + "/ejabberd", self.authority),
                    Prosody(folder + "/bare", self.authority,
                            domain="bare.test", kind=BARE)]
        if name.startswith("ejabberd"):
            return [Ejabberd(folder, self.authority,
                             archive=name == "ejabberd-archive")]
        return [Prosody(folder, self.authority,
                        kind=OLD if name == "prosody-old" else FULL)]

    async def use(self, name):
        """Starts what goes by that name and does not run yet."""
        if name != self._name:
            await self.leave()
            self.servers = self._made(name)
            self._name = name
        await asyncio.gather(*(s.start() for s in self.servers
                               if not s.process.is_running()))

    async def leave(self):
        await asyncio.gather(*(s.stop() for s in self.servers))
        self.servers, self._name = [], None

    async def play(self, name, case):
        """Throws what is wrong."""
        await self.use(name)
        world = World(self.servers, self.authority, self.folder, self.strophe,
                      self.opts.direct)
        seconds = PATIENCE * (
            case.seconds + SECONDS_A_THOUSAND * self.opts.messages / 1000)

        try:
            try:
                async with asyncio.timeout(seconds):
                    if case.begin is not None:
                        await world.begin(**case.begin)
                    await case.play(world, self.opts.messages)
            except TimeoutError as e:
                raise Failed("not over after %d s; it was\n%s" % (
                    seconds, where(e.__context__))) from None
        except BaseException:
            # The first failure is the one to tell.
            await asyncio.gather(world.end(), return_exceptions=True)
            raise
        await world.end()

    async def report(self, number, name, case):
        started = time.monotonic()
        text = ""
        try:
            await self.play(name, case)
        except Failed as e:
            text = "%s\n%s" % (e, where(e))
        except Exception:
            text = traceback.format_exc()
        if text:
            self.failed += 1
        else:
            self.passed += 1
        print("%s %d - %s %s: %s (%.1f s)" % (
            "not ok" if text else "ok", number, name, case.name, case.title,
            time.monotonic() - started))
        for line in text.splitlines():
            print("#   " + line)
        sys.stdout.flush()

    async def all(self, plan):
        print("1..%d" % len(plan))
        try:
            for number, (name, case) in enumerate(plan, 1):
                await self.report(number, name, case)
        finally:
            await self.leave()


def where(error):
    """The line of the case at which it failed."""
    frames = traceback.extract_tb(error.__traceback__)
    frames = [f for f in frames if f.filename.startswith(HERE)]
    return "\n".join("at %s:%d: %s" % (os.path.basename(f.filename),
                                       f.lineno, f.line) for f in frames)


async def within(run, plan, seconds):
    task = asyncio.ensure_future(run.all(plan))
    loop = asyncio.get_running_loop()
    for sig in signal.SIGINT, signal.SIGTERM:
        loop.add_signal_handler(sig, task.cancel)
    try:
        await asyncio.wait_for(task, seconds)
    except asyncio.TimeoutError:
        print("not ok - all: not over after %d s" % seconds)
        run.failed += 1
    except asyncio.CancelledError:
        print("not ok - all: interrupted")
        run.failed += 1


def main():
    opts = options()
    plan = list(chosen(opts))
    if opts.list:
        for name, case in plan:
            print("%-16s %-22s %s" % (name, case.name, case.title))
        return
    folder = tempfile.mkdtemp(prefix="xmpproxy-interop-")
    run = Run(opts, folder)
    try:
        asyncio.run(within(run, plan, PATIENCE * opts.seconds))
    finally:
        Process.kill_all()
    if run.failed or opts.keep:
        print("# logs: " + folder)
    else:
        shutil.rmtree(folder)
    print("%d passed, %d failed" % (run.passed, run.failed))
    sys.exit(1 if run.failed or not run.passed else 0)


if __name__ == "__main__":
    main()
