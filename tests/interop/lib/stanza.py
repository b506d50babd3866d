"""What was received, read as a person would: messages and presences."""

import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

CLIENT = "{jabber:client}"
CARBONS = "{urn:xmpp:carbons:2}"
FORWARD = "{urn:xmpp:forward:0}"
DELAY = "{urn:xmpp:delay}"
RECEIPT = "{urn:xmpp:receipts}"
ROSTER = "{jabber:iq:roster}"
DISCO_INFO = "{http://jabber.org/protocol/disco#info}"
VERSION = "{jabber:iq:version}"
NOTE = "» "

for prefix, uri in (("carbons", CARBONS), ("fwd", FORWARD), ("delay", DELAY),
                    ("receipt", RECEIPT), ("roster", ROSTER)):
    ET.register_namespace(prefix, uri[1:-1])


def text(elem):
    return ET.tostring(elem, encoding="unicode")


def bare(jid):
    return (jid or "").partition("/")[0]


def resource(jid):
    return (jid or "").partition("/")[2]


def tag(name, attributes, inner=""):
    """XML of an element; attributes that are None are left out."""
    words = "".join(" %s=%s" % (key, quoteattr(value))
                    for key, value in attributes.items() if value is not None)
    return "<%s%s>%s</%s>" % (name, words, inner, name) if inner else \
        "<%s%s/>" % (name, words)


def message(to, body, id, kind="chat", extra=""):
    return tag("message", {"to": to, "id": id, "type": kind},
               "<body>%s</body>%s" % (escape(body), extra))


def receipt(to, id, of):
    return tag("message", {"to": to, "id": id, "type": "chat"},
               "<received xmlns='urn:xmpp:receipts' id=%s/>" % quoteattr(of))


def presence(kind=None, show=None, priority=None, to=None):
    inner = ""
    if show:
        inner += "<show>%s</show>" % show
    if priority is not None:
        inner += "<priority>%d</priority>" % priority
    return tag("presence", {"type": kind, "to": to}, inner)


class Delivery:
    """One message with a body, as it came to one client. `how`: plain, note
    (of what another client sent), sent or received (carbons)."""

    __slots__ = ("how", "body", "frm", "to", "id", "delay", "outer_from",
                 "elem")

    def __init__(self, how, inner, outer):
        self.how = how
        self.body = inner.findtext(CLIENT + "body")
        self.frm = inner.get("from")
        self.to = inner.get("to")
        self.id = inner.get("id")
        self.delay = inner.find(DELAY + "delay")
        if self.delay is None:
            self.delay = outer.find(".//%sforwarded/%sdelay"
                                    % (FORWARD, DELAY))
        self.outer_from = outer.get("from")
        self.elem = outer

    def __repr__(self):
        return "%s %r from %s to %s id %s%s" % (
            self.how, self.body, self.frm, self.to, self.id,
            " delayed" if self.delay is not None else "")


def delivery(elem):
    """The Delivery that a stanza is; None where it brings no body."""
    if elem.tag != CLIENT + "message" or elem.get("type") == "error":
        return None
    for how in "sent", "received":
        inner = elem.find("%s%s/%sforwarded/%smessage"
                          % (CARBONS, how, FORWARD, CLIENT))
        if inner is not None:
            break
    else:
        how, inner = "plain", elem
    if inner.find(CLIENT + "body") is None:
        return None
    found = Delivery(how, inner, elem)
    if how == "plain" and found.body.startswith(NOTE):
        found.how, found.body = "note", found.body[len(NOTE):]
    return found


def is_presence(elem):
    """Availability; not subscription business, not an error."""
    return elem.tag == CLIENT + "presence" and \
        elem.get("type") in (None, "unavailable")


def availability(elem):
    """(available, show) of a presence."""
    if elem.get("type") == "unavailable":
        return False, None
    return True, elem.findtext(CLIENT + "show") or None
