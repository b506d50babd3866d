"""Who is to have which message, and who got it how often.

A message is named by who wrote it and its number: "phone-17". Numbers of a
writer begin at 1 and have no gaps.
"""

from collections import defaultdict

SHOWN = 10


class Seen:
    """The first arrival of a message at one client."""

    __slots__ = ("login", "from_archive", "stanza_id")

    def __init__(self, login, from_archive, stanza_id):
        self.login = login
        self.from_archive = from_archive
        self.stanza_id = stanza_id


class Writer:
    def __init__(self, name):
        self.name = name
        self.count = 0                      # numbers given out
        self.refused = set()                # with an error, to be tried later
        self.unsure = set()                 # written again, h not known
        self.bounced = set()
        self.rewritten = defaultdict(int)   # number: times, beyond the first


class Inbox:
    """What one client is to get: by writer, and as what."""

    def __init__(self, name, forms):
        self.name = name
        self.forms = forms                  # writer: forms that are right
        self.seen = {writer: {} for writer in forms}
        self.top = dict.fromkeys(forms, 0)
        self.twice = []                     # (writer, number, why)
        self.repeated = []                  # of those after a new login
        self.disorder = []
        self.wrong = []

    def take(self, writer, number, form, seen):
        if writer not in self.forms:
            self.wrong.append((writer, number, "not for this client"))
            return
        if form not in self.forms[writer] and not seen.from_archive:
            self.wrong.append((writer, number, "came as %s" % form))
        known = self.seen[writer].get(number)
        if known is not None:
            self._again(writer, number, known, seen)
            return
        self.seen[writer][number] = seen
        if number < self.top[writer]:
            self.disorder.append((writer, number,
                                  "after %d" % self.top[writer]))
        else:
            self.top[writer] = number

    def _again(self, writer, number, known, seen):
        if seen.stanza_id and seen.stanza_id == known.stanza_id and \
                (seen.from_archive or known.from_archive):
            return                          # the same, read in the archive
        if seen.login == known.login:
            self.twice.append((writer, number, "over one stream"))
        elif seen.stanza_id != known.stanza_id:
            self.twice.append((writer, number, "another stanza-id"))
        else:
            self.repeated.append((writer, number, "after a new login"))


class Tally:
    def __init__(self):
        self.writers = {}
        self.inboxes = {}
        self.odd = []                       # texts: other faults

    def add_writer(self, name):
        self.writers[name] = Writer(name)
        return self.writers[name]

    def add_inbox(self, name, forms):
        self.inboxes[name] = Inbox(name, forms)
        return self.inboxes[name]

    @property
    def sent(self):
        return sum(w.count for w in self.writers.values())

    @property
    def got(self):
        return sum(len(seen) for box in self.inboxes.values()
                   for seen in box.seen.values())

    def due(self, writer):
        """How many of that writer's everybody is to have."""
        return writer.count - len(writer.refused)

    def lag(self, writer):
        """How far the slowest reader is behind that writer."""
        return writer.count - min(box.top[writer.name]
                                  for box in self.inboxes.values()
                                  if writer.name in box.forms)

    def is_complete(self):
        return all(len(box.seen[w.name]) >= self.due(w)
                   for w in self.writers.values()
                   for box in self.inboxes.values() if w.name in box.forms)

    def missing(self, box):
        return [(w.name, number, "missing")
                for w in self.writers.values() if w.name in box.forms
                for number in range(1, w.count + 1)
                if number not in box.seen[w.name]
                and number not in w.refused]

    def unwanted(self, box):
        """Those that their writer was told were not taken."""
        return [(w.name, number, "refused before")
                for w in self.writers.values() if w.name in box.forms
                for number in sorted(w.refused)
                if number in box.seen[w.name]]

    def has_wrong(self):
        """Whether something came that should not have come so."""
        return bool(self.odd) or any(
            box.repeated or box.disorder or box.wrong or
            any(not self.is_excused(w, n) for w, n, _ in box.twice)
            for box in self.inboxes.values())

    def is_excused(self, writer, number):
        """Written again by a client that was not told how many had arrived."""
        return number in self.writers[writer].unsure

    def faults(self):
        """[(inbox, writer, number, text)]"""
        found = []
        for box in self.inboxes.values():
            for kind, those in (
                    ("lost", self.missing(box)), ("twice", box.twice),
                    ("repeated", box.repeated), ("order", box.disorder),
                    ("wrong", box.wrong), ("wrong", self.unwanted(box))):
                found += [(box.name, writer, number, "%s: %s" % (kind, text))
                          for writer, number, text in those
                          if kind != "twice"
                          or not self.is_excused(writer, number)]
        return found

    def story(self, name, number):
        """Where a message was last seen."""
        writer = self.writers[name]
        words = ["written" + (" %d times" % (1 + writer.rewritten[number])
                              if number in writer.rewritten else "")]
        if number in writer.unsure:
            words.append("again without an h")
        if number in writer.refused:
            words.append("refused")
        if number in writer.bounced:
            words.append("bounced")
        readers = [box for box in self.inboxes.values() if name in box.forms]
        has = ["%s (login %d%s)" % (
            box.name, box.seen[name][number].login,
            ", archive" if box.seen[name][number].from_archive else "")
               for box in readers if number in box.seen[name]]
        words.append("at " + ", ".join(has) if has else "at nobody")
        return "; ".join(words)

    def table(self):
        rows = [("", "due", "got", "lost", "twice", "repeated", "order",
                 "wrong")]
        for box in self.inboxes.values():
            rows.append((
                box.name,
                sum(self.due(w) for w in self.writers.values()
                    if w.name in box.forms),
                sum(map(len, box.seen.values())), len(self.missing(box)),
                len(box.twice), len(box.repeated), len(box.disorder),
                len(box.wrong) + len(self.unwanted(box))))
        return "\n".join("%-8s" % row[0] + "".join("%10s" % cell
                                                   for cell in row[1:])
                         for row in rows)

    def text_of_faults(self):
        lines = list(self.odd[:SHOWN])
        found = self.faults()
        for inbox, writer, number, text in found[:SHOWN]:
            lines.append("%s: %s-%d %s; %s" % (
                inbox, writer, number, text,
                self.story(writer, number) if writer in self.writers else ""))
        if len(found) > SHOWN:
            lines.append("and %d more" % (len(found) - SHOWN))
        return "\n".join(lines)
