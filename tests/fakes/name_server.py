"""A DNS server on loopback, and a resolver that asks it: real packets, answers as the test says."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address

from consentry.connectors.addresses import Address

_A, _AAAA, _IN = 1, 28, 1


@dataclass(slots=True)
class NameServer:
    """Answers each question with what ``answer`` says for the name and how often it was asked."""

    answer: Callable[[str, int], tuple[str, ...]]
    port: int
    asked: list[str] = field(default_factory=list)

    def reply(self, packet: bytes) -> bytes:
        name, end = _read_name(packet, 12)
        kind = struct.unpack("!H", packet[end : end + 2])[0]
        if kind == _A:
            self.asked.append(name)
        found = [ip_address(each) for each in self.answer(name, self.asked.count(name))]
        wanted = IPv4Address if kind == _A else IPv6Address
        records = [each.packed for each in found if isinstance(each, wanted)]
        header = packet[:2] + struct.pack("!HHHHH", 0x8180, 1, len(records), 0, 0)
        answers = b"".join(
            b"\xc0\x0c" + struct.pack("!HHIH", kind, _IN, 0, len(data)) + data for data in records
        )
        return header + packet[12 : end + 4] + answers


@contextmanager
def name_server(answer: Callable[[str, int], tuple[str, ...]]) -> Iterator[NameServer]:
    """Run a DNS server; every answer may be kept for 0 seconds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.05)
        server = NameServer(answer, sock.getsockname()[1])
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    packet, sender = sock.recvfrom(512)
                except TimeoutError:
                    continue
                sock.sendto(server.reply(packet), sender)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server
        finally:
            stop.set()
            thread.join()


@dataclass(frozen=True, slots=True)
class AskNameServer:
    """A resolver that sends real questions to a `NameServer`, and keeps nothing."""

    server: NameServer

    def resolve(self, host: str, *, timeout_s: float) -> tuple[Address, ...]:
        return (*self._ask(host, _A, timeout_s), *self._ask(host, _AAAA, timeout_s))

    def _ask(self, host: str, kind: int, timeout_s: float) -> tuple[Address, ...]:
        labels = b"".join(bytes([len(each)]) + each.encode() for each in host.split("."))
        question = labels + b"\x00" + struct.pack("!HH", kind, _IN)
        packet = b"\x12\x34" + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 0) + question
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout_s)
            sock.sendto(packet, ("127.0.0.1", self.server.port))
            reply = sock.recv(4096)
        count, at, found = struct.unpack("!H", reply[6:8])[0], 12 + len(question), []
        for _ in range(count):
            size = struct.unpack("!H", reply[at + 10 : at + 12])[0]
            found.append(ip_address(reply[at + 12 : at + 12 + size]))
            at += 12 + size
        return tuple(found)


def _read_name(packet: bytes, at: int) -> tuple[str, int]:
    labels = []
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels), at + 1
