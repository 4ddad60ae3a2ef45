"""Frames made by hand, the radio that puts them on the air, and who hears what comes of them.

    with Injector(phone) as injector, Ear(box.interface) as ear:
        injector.send(data_frame(bss, phone.hardware, bss, snap(0x0800, datagram)))
        ear.heard(b"marker")
"""

from __future__ import annotations

import socket
import struct

from Rig.network import inside
from Rig.wifi import WiFiPhone

SNAP = bytes.fromhex("aaaa03000000")
"""What a network's type follows in a data frame (RFC 1042)."""

IPV4, EAPOL = 0x0800, 0x888E

PAE_GROUP = "01:80:c2:00:00:03"
"""Whoever a port leads to (IEEE 802.1X-2020, 11.1.1)."""

TID = 5
"""The traffic class of aggregates: one that nothing else here uses, as their numbers are not a phone's own."""

SO_TIMESTAMPNS = 35
"""An option of socket(7) that Python has no name for."""

EVERYTHING = 0x0003
"""All types of frames, for a packet socket (packet(7))."""


def octets(address: str) -> bytes:
    return bytes.fromhex(address.replace(":", ""))


def snap(kind: int, payload: bytes) -> bytes:
    """What a data frame holds."""
    return SNAP + struct.pack(">H", kind) + payload


def datagram(source: str, destination: str, payload: bytes, *, number: int = 1) -> bytes:
    """An IPv4 packet with a UDP datagram to the port that discards; `number` is its identification."""
    udp = struct.pack(">HHHH", 9, 9, 8 + len(payload), 0) + payload
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0, socket.inet_aton(source),
                         socket.inet_aton(destination))
    total = sum(struct.unpack(">10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return header[:10] + struct.pack(">H", 0xFFFF ^ ((total & 0xFFFF) + (total >> 16))) + header[12:] + udp


def data_frame(bss: str, source: str, destination: str, body: bytes, *, sequence: int = 0, fragment: int = 0,
               more: bool = False, aggregated: bool = False, receiver: str | None = None) -> bytes:
    """A data frame of a phone to its access point (IEEE 802.11-2020, 9.3.2.1), in the clear; with `more`, fragments
    follow; an `aggregated` one is an A-MSDU. Only that has a quality of service: with one, the radios agree on block
    acknowledgements, and then no fragment is taken."""
    header = struct.pack("<BBH6s6s6sH", 0x88 if aggregated else 0x08, 0x01 | (0x04 if more else 0), 0,
                         octets(receiver or bss), octets(source), octets(destination), sequence << 4 | fragment)
    return header + (struct.pack("<BB", 0x80 | TID, 0) if aggregated else b"") + body


def management_frame(subtype: int, bss: str, source: str, body: bytes, *, sequence: int = 5) -> bytes:
    """A management frame of a phone to its access point (IEEE 802.11-2020, 9.3.3.1)."""
    return struct.pack("<BBH6s6s6sH", subtype << 4, 0, 0, octets(bss), octets(source), octets(bss), sequence << 4) + body


def subframe(destination: str, source: str, body: bytes) -> bytes:
    """A part of an A-MSDU (IEEE 802.11-2020, 9.3.2.2.2)."""
    return octets(destination) + octets(source) + struct.pack(">H", len(body)) + body


def aggregate(*parts: bytes) -> bytes:
    """An A-MSDU: each part but the last is filled up to a multiple of four octets."""
    return b"".join(part + bytes(-len(part) % 4) for part in parts[:-1]) + parts[-1]


class Injector:
    """A phone's radio, which sends whatever it is given, in anybody's name, beside what it sends as a phone."""

    def __init__(self, phone: WiFiPhone, frequency: int | None = None):
        """With a frequency in MHz for a phone that is on no Wi-Fi."""
        self.phone = phone
        phone.run("iw", "phy", phone.phy, "interface", "add", "monitor", "type", "monitor")
        phone.run("ip", "link", "set", "monitor", "up")
        if frequency:
            phone.run("iw", "dev", "monitor", "set", "freq", str(frequency))
        with inside(phone.namespace):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self._socket.bind(("monitor", 0))

    def __enter__(self) -> Injector:
        return self

    def __exit__(self, *_) -> None:
        self._socket.close()
        self.phone.run("iw", "dev", "monitor", "del")

    def send(self, frame: bytes, *, encrypted: bool = False) -> None:
        """Send a frame as it is; `encrypted` under the phone's own key, as what was changed on its way by others, who
        need no key for that, comes to the access point."""
        if encrypted:
            frame = frame[:1] + bytes([frame[1] | 0x40]) + frame[2:]
        # radiotap.org: the fields Flags and TX flags. The sequence number stays, and so does the order.
        header = struct.pack("<BBHIBBH", 0, 0, 12, 1 << 1 | 1 << 15, 0x04 if encrypted else 0, 0, 0x0030)
        self._socket.send(header + frame)


class Ear:
    """Everything that comes in on a network interface, of this machine or of a namespace."""

    def __init__(self, interface: str, namespace: str | None = None):
        with inside(namespace):
            # Of nothing, until it is bound to the interface.
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.bind((interface, EVERYTHING))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setblocking(False)
        self._frames: list[tuple[float, bytes]] = []

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *_) -> None:
        self._socket.close()

    @property
    def frames(self) -> list[bytes]:
        """What has come so far, from the link's header on."""
        return [frame for _, frame in self.timed]

    @property
    def timed(self) -> list[tuple[float, bytes]]:
        """The same, each with the second (of `time.time()`) in which the kernel saw it."""
        while True:
            try:
                frame, ancillary, _, (_, _, direction, *_) = self._socket.recvmsg(65536, 64)
            except BlockingIOError:
                return self._frames
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
            if direction != socket.PACKET_OUTGOING:
                self._frames.append((seconds + nanoseconds / 1e9, frame))

    def datagrams(self, payload: bytes) -> int:
        """How many of the frames are a UDP datagram with this payload, and no more: what is inside of another does
        not count."""
        return sum(frame[12:14] == struct.pack(">H", IPV4) and frame[42:] == payload for frame in self.frames)

    def of_type(self, kind: int, source: str) -> list[bytes]:
        """The frames of a type from an address."""
        return [frame for frame in self.frames if frame[12:14] == struct.pack(">H", kind) and frame[6:12] == octets(source)]


class AirEar(Ear):
    """Everything on the air, from the 802.11 header on."""

    def __init__(self):
        super().__init__("hwsim0")

    @property
    def timed(self) -> list[tuple[float, bytes]]:
        return [(when, frame[int.from_bytes(frame[2:4], "little"):]) for when, frame in super().timed]
