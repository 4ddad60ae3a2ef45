"""Clients of the box's hub that are no browser: aiortc dials from the blob alone, as the client at kibitz.chat does.

    with HubPhone(network.phone("ada")) as ada:
        client = ada.dial(box.status()["blob"])
        client.send({"t": "join", "room": "x"})

The client builds the hub's answer itself; nothing but the blob passes between the two beforehand. Each phone has a thread
with an event loop in its network namespace, and the test speaks with it by ordinary calls.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import queue
import re
import threading
import time
from typing import NamedTuple

from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from Rig.network import Phone, inside, run

DIAL_LIMIT = 6.0
"""Seconds to the `id` frame, after which the client at kibitz.chat gives up."""

PATIENCE = 10.0
"""Seconds a frame may take on a busy machine."""

LARGEST = 262_144
"""Bytes of the longest message, by the `max-message-size` of the answer."""


class Blob(NamedTuple):
    """What a blob says."""

    version: str
    ufrag: str
    password: str
    fingerprint: bytes
    turn: str | None
    endpoints: list[tuple[str, int]]

    @staticmethod
    def parse(text: str) -> Blob:
        version, ufrag, password, fingerprint, *rest = text.split("|")
        turn = rest.pop(0) if version == "g2" else None
        endpoints = [(address, int(port)) for address, _, port in (part.rpartition("~") for part in rest)]
        return Blob(version, ufrag, password, base64.urlsafe_b64decode(fingerprint + "="), turn, endpoints)

    def answer(self, offer: str) -> str:
        """The hub's answer to an offer."""
        mid = re.search(r"a=mid:(\S+)", offer)[1]
        lines = [
            "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite", f"a=group:BUNDLE {mid}",
            "a=msid-semantic: WMS", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0",
            f"a=ice-ufrag:{self.ufrag}", f"a=ice-pwd:{self.password}",
            f"a=fingerprint:sha-256 {self.fingerprint.hex(':').upper()}", "a=setup:passive", f"a=mid:{mid}",
            "a=sctp-port:5000", f"a=max-message-size:{LARGEST}",
        ] + [
            f"a=candidate:{number} 1 udp {2130706432 - number} {address} {port} typ host generation 0"
            for number, (address, port) in enumerate(self.endpoints, 1)
        ]
        return "\r\n".join(lines) + "\r\n"


class Channel:
    """A data channel; what comes is queued as it came."""

    def __init__(self, phone: HubPhone, channel: RTCDataChannel):
        self._phone = phone
        self.channel = channel
        self.messages: queue.Queue[str | bytes | None] = queue.Queue()
        self._opened = threading.Event()
        channel.on("open", self._opened.set)
        channel.on("message", self.messages.put)
        channel.on("close", lambda: self.messages.put(None))
        if channel.readyState == "open":
            self._opened.set()

    def wait_open(self, timeout: float = PATIENCE) -> None:
        assert self._opened.wait(timeout), f"the channel {self.channel.label!r} did not open in {timeout:g} s"

    @property
    def state(self) -> str:
        return self.channel.readyState

    def send(self, message: dict | list | str | bytes) -> None:
        """Send a frame: text and bytes as they are, anything else as JSON."""
        if not isinstance(message, str | bytes):
            message = json.dumps(message)
        self._phone.call(lambda: self.channel.send(message))

    def receive(self, timeout: float = PATIENCE) -> dict:
        """The next message, as JSON."""
        return json.loads(self.receive_text(timeout))

    def receive_text(self, timeout: float = PATIENCE) -> str:
        """The next message, as it came."""
        try:
            message = self.messages.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"no frame came in {timeout:g} s on {self.channel.label!r} ({self.state})") from None
        assert message is not None, f"the channel {self.channel.label!r} was closed"
        assert isinstance(message, str), "the hub's frames are text"
        return message

    def closed(self, timeout: float = PATIENCE) -> list[dict]:
        """What came until the channel was closed by the box."""
        frames = []
        deadline = time.monotonic() + timeout
        while True:
            try:
                message = self.messages.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"the channel was not closed in {timeout:g} s; it got {frames}") from None
            if message is None:
                return frames
            frames.append(json.loads(message))

    def echo(self, content: object = "fence", timeout: float = PATIENCE) -> list[dict]:
        """Have the hub echo something, and return the frames that came before the echo: what it had to say until then."""
        self.send({"t": "echo", "x": content})
        before = []
        while (frame := self.receive(timeout)) != {"t": "echo", "x": content}:
            before.append(frame)
        return before

    def peers(self) -> list[int]:
        """The ids in this client's room."""
        self.send({"t": "peers"})
        frame = self.receive()
        assert frame.keys() == {"t", "ids"} and frame["t"] == "peers", frame
        return frame["ids"]


class Client(Channel):
    """A connection to the hub, and its channel `hub`."""

    def __init__(self, phone: HubPhone, connection: RTCPeerConnection, channel: RTCDataChannel):
        super().__init__(phone, channel)
        self.connection = connection
        self.hello: dict = {}
        """The first frame."""

    @property
    def id(self) -> int:
        return self.hello["id"]

    @property
    def token(self) -> str:
        """What brings this id back."""
        return self.hello["resume"]

    def open(self, label: str, **parameters) -> Channel:
        """Open a further channel on this connection."""
        # All on the phone's own thread: the box's first frame may come before this one has asked to be told of it.
        channel = self._phone.call(
            lambda: Channel(self._phone, self.connection.createDataChannel(label, **parameters)))
        channel.wait_open()
        return channel

    def join(self, room: str) -> Client:
        """Enter a room, and wait until the hub has taken that in."""
        self.send({"t": "join", "room": room})
        assert self.echo("joined") == []
        return self

    def resume(self, room: str, token: str | None = None, last: int | None = None) -> dict:
        """Enter a room to come back to, or come back; the hub's answer to it."""
        frame = {"t": "join", "room": room, "resume": token or self.token}
        self.send(frame if last is None else frame | {"last": last})
        answer = self.receive()
        assert answer["t"] == "id", answer
        self.hello = answer
        return answer

    def close(self) -> None:
        """Say goodbye."""
        self._phone.run(self.connection.close())

    def lose(self) -> None:
        """Be gone without a word, as a phone that is switched off."""
        def cut():
            ice = self.connection.sctp.transport.transport._connection
            for protocol in ice._protocols:
                protocol.transport.abort()
        self._phone.call(cut)


class HubPhone:
    """A thread with an event loop on a phone, or on this machine itself; any number of clients dial from it."""

    def __init__(self, phone: Phone | None = None):
        self.phone = phone
        self.loop = asyncio.new_event_loop()
        self.clients: list[Client] = []
        ready = threading.Event()

        def serve():
            with inside(phone.namespace if phone else None):
                asyncio.set_event_loop(self.loop)
                self.loop.call_soon(ready.set)
                self.loop.run_forever()

        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()
        assert ready.wait(PATIENCE)

    def __enter__(self) -> HubPhone:
        return self

    def __exit__(self, *_) -> None:
        for client in self.clients:
            with contextlib.suppress(Exception):
                self.run(client.connection.close(), 3)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)

    def run(self, coroutine, timeout: float = PATIENCE):
        """The value of a coroutine that runs on this phone."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def call(self, function):
        """The value of a function that runs on this phone."""
        async def inner():
            return function()
        return self.run(inner())

    def dial(self, blob: str, timeout: float = DIAL_LIMIT) -> Client:
        """Dial the hub and wait for its `id` frame."""
        async def begin() -> Client:
            connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
            client = Client(self, connection, connection.createDataChannel("hub"))
            self.clients.append(client)
            await connection.setLocalDescription(await connection.createOffer())
            answer = Blob.parse(blob).answer(connection.localDescription.sdp)
            # Without waiting: it goes on to connect, which this is timed for by the frame it leads to.
            asyncio.ensure_future(connection.setRemoteDescription(RTCSessionDescription(answer, "answer")))
            return client

        client = self.run(begin(), timeout)
        client.hello = client.receive(timeout)
        assert client.hello["t"] == "id" and type(client.hello["id"]) is int, client.hello
        return client


@contextlib.contextmanager
def losing(phone: Phone, percent: int):
    """A bad Wi-Fi for as long as the block runs: so many packets of a hundred are lost, each way. Gives a function that
    tells how many were lost so far."""
    table = f"loss_{phone.name}"
    # Each end drops what comes in. What is dropped on its way out fails to be sent, which Firefox takes for the end.
    ends = {phone.namespace: phone.network.address, phone.network.box: phone.address}

    def nft(namespace: str, *arguments: str, stdin: str | None = None) -> str:
        return run("ip", "netns", "exec", namespace, "nft", *arguments, stdin=stdin)

    for namespace, sender in ends.items():
        nft(namespace, "-f", "-", stdin=(
            f"table inet {table} {{ chain input {{ type filter hook input priority 0; policy accept;\n"
            f"ip saddr {sender} meta l4proto udp numgen random mod 100 < {percent} counter drop\n}}\n}}\n"))
    try:
        yield lambda: sum(
            int(count) for namespace in ends
            for count in re.findall(r"counter packets (\d+)", nft(namespace, "list", "table", "inet", table)))
    finally:
        for namespace in ends:
            nft(namespace, "delete", "table", "inet", table)
