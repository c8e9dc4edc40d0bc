"""Sends readings as fast as the broker takes them: the packets are made beforehand.

A library's client in Python would be the slowest part of the measurement, so this
writes MQTT 5 to the socket itself: CONNECT, then PUBLISH at QoS 1, with at most
``WINDOW`` unacknowledged.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
from datetime import datetime, timedelta

WINDOW = 1_000
CHUNK = 100


def text(value: str) -> bytes:
    """A string as MQTT writes it."""
    raw = value.encode()
    return struct.pack("!H", len(raw)) + raw


def packet(kind: int, body: bytes) -> bytes:
    """A control packet: type, length in groups of seven bits, body."""
    length, rest = bytearray(), len(body)
    while True:
        rest, group = divmod(rest, 128)
        length.append(group | (128 if rest else 0))
        if not rest:
            return bytes([kind]) + bytes(length) + body


def publish(number: int, heaters: int, first: datetime) -> bytes:
    """The reading of one heater, of about 200 bytes."""
    device, step = number % heaters, number // heaters
    body = {
        "ts": (first + timedelta(seconds=10 * step)).isoformat(),
        "temperature_c": 55 + number % 7 / 10,
        "target_temperature_c": 55.0,
        "pressure_bar": 3.1,
        "flow_lpm": 0.0,
        "power_w": 3000.0,
        "energy_kwh": round(100 + step * 0.008, 3),
        "mode": "eco",
        "heating": True,
    }
    head = text(f"iot/v1/h{device}/telemetry")
    head += struct.pack("!HB", number % 65_535 + 1, 0)
    return packet(0x32, head + json.dumps(body).encode())


def read(sock: socket.socket, size: int) -> bytes:
    """Exactly that many bytes."""
    found = b""
    while len(found) < size:
        got = sock.recv(size - len(found))
        if not got:
            raise ConnectionError("the broker ended the connection")
        found += got
    return found


def acknowledgement(sock: socket.socket) -> None:
    """Wait for one packet, which has to be a good acknowledgement."""
    kind, length = read(sock, 2)
    body = read(sock, length)
    failed = len(body) > 2 and body[2] >= 128
    if kind != 0x40 or failed:
        raise ConnectionError(f"no acknowledgement: {kind:#x} {body!r}")


def main(port: int, password: str, count: int, heaters: int, first: datetime) -> None:
    """Send, and return when the broker has acknowledged everything."""
    packets = [publish(n, heaters, first) for n in range(count)]
    connect = text("MQTT") + bytes([5, 0xC2]) + struct.pack("!H", 0) + b"\x00"
    connect += text("bench-sender") + text("many") + text(password)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(packet(0x10, connect))
        _kind, length = read(sock, 2)
        if read(sock, length)[1] != 0:
            raise ConnectionError("the broker refuses the sender")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()
        underway = 0
        for start in range(0, count, CHUNK):
            chunk = packets[start : start + CHUNK]
            sock.sendall(b"".join(chunk))
            underway += len(chunk)
            while underway > WINDOW - CHUNK:
                acknowledgement(sock)
                underway -= 1
        for _ in range(underway):
            acknowledgement(sock)


if __name__ == "__main__":
    main(
        int(sys.argv[1]),
        sys.argv[2],
        int(sys.argv[3]),
        int(sys.argv[4]),
        datetime.fromisoformat(sys.argv[5]),
    )
