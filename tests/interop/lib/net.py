"""Loopback ports."""

import asyncio
import socket

HOST = "127.0.0.1"


def free_ports(count, wanted=()):
    """Ports that nobody has, the wanted ones where that is true of them. All
    are held until all are known."""
    held = []
    for i in range(count):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((HOST, wanted[i] if i < len(wanted) else 0))
        except OSError:
            s.bind((HOST, 0))
        held.append(s)
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


async def speaks_xmpp(port, domain):
    """Whether a server on that port answers a stream with its features."""
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    try:
        writer.write(b"<stream:stream xmlns='jabber:client' version='1.0' "
                     b"xmlns:stream='http://etherx.jabber.org/streams' "
                     b"to='%s'>" % domain.encode())
        await asyncio.wait_for(reader.readuntil(b"</stream:features>"), 5)
        return True
    except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
        return False
    finally:
        writer.close()
