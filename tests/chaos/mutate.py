#!/usr/bin/python3
"""Breaks the source on purpose, and expects chaos.py to notice.

Builds a copy of the tree for each entry of mutations.toml (which says how one
is written), and plays the run with one seed after another until it fails. First
the source as it is, which has to pass with each seed. TAP; the exit status says
the same.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
# More of everything than in the short run, and not long to wait for what is
# lost.
USUAL = ("--fail-fast --stall 20 --messages 6000 --kills 25 --cuts 20 "
         "--upstream-cuts 15 --server-restarts 5 --full-disks 2").split()
SECONDS = 600           # for one run


def options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--list", default=HERE + "/mutations.toml",
                        help="(%(default)s)")
    parser.add_argument("--only", action="append", default=[],
                        help="mutations whose name has this in it")
    parser.add_argument("--seeds", type=int, default=3, help="(%(default)s)")
    parser.add_argument("--first", type=int, default=1,
                        help="seed (%(default)s)")
    parser.add_argument("--no-baseline", action="store_true",
                        help="do not try the source as it is")
    parser.add_argument("--check", action="store_true",
                        help="only whether each place is there, once")
    parser.add_argument("further", nargs="*",
                        help="options for chaos.py, behind --")
    return parser.parse_args()


def copied(folder):
    """The files that git knows, as they are now."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True,
                           stdout=subprocess.PIPE).stdout.decode()
    for name in names.split("\0"):
        source = os.path.join(ROOT, name)
        if os.path.isfile(source):
            target = os.path.join(folder, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, target)


def build(folder):
    """What the compiler complained about; empty where it is built."""
    done = subprocess.run(["make", "-j%d" % os.cpu_count(), "xmpproxy"],
                          cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode("utf-8", "replace") if done.returncode else ""


def mutated(text, edit):
    """Throws ValueError where the place is not there, or there twice."""
    if text.count(edit["old"]) != 1:
        raise ValueError("%s: `old` stands there %d times"
                         % (edit["file"], text.count(edit["old"])))
    return text.replace(edit["old"], edit["new"])


class Tree:
    """A copy in which one mutation at a time is made and taken back."""

    def __init__(self, folder):
        self.folder = folder
        self._kept = {}
        copied(folder)

    def apply(self, mutation):
        for edit in mutation["edit"]:
            path = os.path.join(self.folder, edit["file"])
            with open(path, encoding="utf-8") as f:
                text = f.read()
            self._kept.setdefault(path, text)
            self._write(path, mutated(text, edit))

    def restore(self):
        for path, text in self._kept.items():
            self._write(path, text)
        self._kept = {}

    @staticmethod
    def _write(path, text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def play(self, seed, further):
        """(passed, what it said that tells why); OSError where it did not
        count to the end."""
        env = dict(os.environ,
                   XMPPROXY=os.path.join(self.folder, "xmpproxy"))
        command = ["/usr/bin/python3", os.path.join(HERE, "chaos.py"), *USUAL,
                   "--seed", str(seed), *further]
        try:
            done = subprocess.run(command, env=env, timeout=SECONDS,
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
        except subprocess.TimeoutExpired:
            return False, "not over after %d s" % SECONDS
        said = done.stdout.decode("utf-8", "replace")
        if not re.search(r"^(not )?ok - \d+ messages", said, re.MULTILINE):
            raise OSError("no verdict: " + " ".join(said.split()[-30:]))
        return done.returncode == 0, said


def reasons(said):
    """The lines of a failed run that name a fault."""
    found = [line for line in said.splitlines()
             if re.search(r"(lost|twice|repeated|order|wrong): |died|h=\d|"
                          r"nothing moves|first fault|not within|Error", line)]
    for folder in re.findall(r"^# logs: (\S+)$", said, re.MULTILINE):
        shutil.rmtree(folder, ignore_errors=True)
    return found[:4] or said.splitlines()[-4:]


class Report:
    def __init__(self, count):
        self.failed = 0
        self.number = 0
        print("1..%d" % count)

    def tell(self, good, text, lines=()):
        self.number += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.number, text))
        for line in lines:
            print("#   " + line.removeprefix("# ")[:160])
        sys.stdout.flush()


def baseline(tree, opts, report):
    wrong = build(tree.folder)
    if wrong:
        report.tell(False, "as it is: does not build", wrong.splitlines())
        return
    for seed in range(opts.first, opts.first + opts.seeds):
        passed, said = tree.play(seed, opts.further)
        if not passed:
            report.tell(False, "as it is: fails with seed %d" % seed,
                        reasons(said))
            return
    report.tell(True, "as it is: passes")


def attempt(tree, mutation, opts, report):
    name = mutation["name"]
    started = time.monotonic()
    try:
        tree.apply(mutation)
        wrong = build(tree.folder)
        if wrong:
            report.tell(False, name + ": does not build",
                        wrong.splitlines()[-8:])
            return
        further = mutation.get("options", []) + opts.further
        seeds = mutation.get("seeds", opts.seeds)
        for seed in range(opts.first, opts.first + seeds):
            passed, said = tree.play(seed, further)
            if not passed:
                report.tell(True, "%s: noticed with seed %d, %.0f s" % (
                    name, seed, time.monotonic() - started), reasons(said))
                return
        report.tell(False, "%s: not noticed with %d seeds" % (name, seeds))
    except (ValueError, OSError) as e:
        report.tell(False, name, [str(e)])
    finally:
        tree.restore()


def check(mutations):
    """Exit status 1 where one of them would change nothing."""
    bad = 0
    for mutation in mutations:
        for edit in mutation["edit"]:
            try:
                with open(os.path.join(ROOT, edit["file"]),
                          encoding="utf-8") as f:
                    mutated(f.read(), edit)
            except (ValueError, OSError) as e:
                print("%s: %s" % (mutation["name"], e))
                bad = 1
    return bad


def main():
    opts = options()
    with open(opts.list, "rb") as f:
        those = tomllib.load(f).get("mutation", [])
    those = [m for m in those
             if not opts.only or any(w in m["name"] for w in opts.only)]
    if opts.check:
        sys.exit(check(those))
    report = Report(len(those) + (not opts.no_baseline))
    with tempfile.TemporaryDirectory(prefix="xmpproxy-mutate-") as folder:
        tree = Tree(folder)
        if not opts.no_baseline:
            baseline(tree, opts, report)
        for mutation in those:
            attempt(tree, mutation, opts, report)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
