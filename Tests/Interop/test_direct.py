"""The echo of WebRTC Direct, as programs on phones see it: aiortc dials by each of its names."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import threading
import time

import pytest
from aiortc import InvalidStateError, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from Rig.box import Box
from Rig.hub import Blob, Channel, Client, HubPhone
from Rig.network import Network
from Rig.waiting import wait_until

DIRECT_NAME = "libp2p+webrtc+v2/"
"""In front of the password that the client chose for itself: the box's user fragment, and its password."""

SHARED_NAMES = ("libp2p+webrtc+v1/aBcD0123eFgH4567", "0123456789abcdef" * 4)
"""Fragment and password of both ends: by libp2p's version 1, and as the crate webrtc-direct makes them."""

FRAME_LIMIT = 16 << 20
"""Bytes of a frame behind its length (the crate webrtc-direct's `MAX_MESSAGE_SIZE`)."""


@pytest.fixture
def echoing():
    """A network and a box that echoes on WebRTC Direct."""
    with Network() as made, Box({"addresses": [made.address], "direct": "echo"}, namespace=made.box) as running:
        yield made, running


def dial_direct(phone: HubPhone, box: Box, name: str | None = None) -> Client:
    """Dial the echo, knowing nothing but a fingerprint, a port and an address; by a name of both ends, or by version 2."""
    direct = json.loads(box.fetch("/api/direct").text)

    async def begin() -> Client:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        client = Client(phone, connection, connection.createDataChannel("rpc", negotiated=True, id=0))
        phone.clients.append(client)
        if name:
            # What other clients change in their own description, and aiortc lets nobody say.
            ice = connection.sctp.transport.transport.iceGatherer._connection
            ice._local_username = ice._local_password = name
        await connection.setLocalDescription(await connection.createOffer())
        offer = connection.localDescription.sdp
        assert not name or f"a=ice-ufrag:{name}" in offer
        secret = name or DIRECT_NAME + re.search(r"a=ice-pwd:(\S+)", offer)[1]
        answer = Blob("g1", secret, secret, bytes.fromhex(direct["fingerprint"]), None,
                      [(address, direct["port"]) for address in direct["addresses"]]).answer(offer)
        asyncio.ensure_future(connection.setRemoteDescription(RTCSessionDescription(answer, "answer")))
        return client

    client = phone.run(begin())
    client.wait_open()
    return client


def echo_of(client: Client, content: bytes) -> bytes:
    """What comes back of a frame."""
    client.send(len(content).to_bytes(4, "big") + content)
    got = b""
    while len(got) < 4 + len(content):
        got += client.messages.get(timeout=20)
    return got[4:]


@contextlib.contextmanager
def well(network: Network, box: Box):
    """Another phone's round trips, which must stay good for as long as the block runs; and so must the box."""
    memory = box.rss()
    with HubPhone(network.phone("well")) as phone:
        client, delays, stop = phone.dial(box.status()["blob"]), [], threading.Event()

        def ask():
            while not stop.is_set():
                began = time.monotonic()
                assert client.echo() == []
                delays.append(time.monotonic() - began)
                time.sleep(0.02)

        asker = threading.Thread(target=ask, daemon=True)
        asker.start()
        try:
            yield
            wait_until(lambda: len(delays) > 30, 20, "it was asked often enough")
        finally:
            stop.set()
            asker.join()
        assert sorted(delays)[len(delays) * 95 // 100] < 0.5, sorted(delays)[-10:]
        client.close()
    wait_until(lambda: box.status()["traffic"]["hubPeers"] == 0, 15, "nobody is left", detail=box.describe)
    assert box.alive and box.rss() < memory + 40_000_000


@pytest.mark.parametrize("name", [None, *SHARED_NAMES], ids=["version 2", "version 1", "crate"])
def test_the_echo_gives_frames_back_as_they_came(echoing, name):
    network, box = echoing
    with well(network, box), HubPhone(network.phone("ada")) as ada:
        client = dial_direct(ada, box, name)
        assert echo_of(client, b"hello") == b"hello"
        content = random.randbytes(60_000)
        assert echo_of(client, content) == content


@pytest.mark.parametrize("length", [0, FRAME_LIMIT + 1, 0xFFFFFFFF])
def test_a_frame_of_no_length_that_may_be_ends_the_echo(echoing, length):
    network, box = echoing
    with well(network, box), HubPhone(network.phone("ada")) as ada:
        client = dial_direct(ada, box)
        assert echo_of(client, b"hello") == b"hello"
        client.send(length.to_bytes(4, "big") + b"xxxx")
        wait_until(lambda: client.state == "closed", 10, "the channel is closed", detail=box.describe)
        wait_until(lambda: box.status()["traffic"]["hubPeers"] == 1, 15, "and with it the connection", detail=box.describe)
        again = dial_direct(ada, box)
        assert echo_of(again, b"hello") == b"hello"
        time.sleep(1)


def test_further_channels_of_an_echo_are_closed(echoing):
    network, box = echoing
    with well(network, box), HubPhone(network.phone("ada")) as ada:
        client = dial_direct(ada, box)

        async def open_many():
            return [Channel(ada, client.connection.createDataChannel(f"more{number}")) for number in range(40)]

        more = ada.run(open_many())
        for channel in more:
            wait_until(lambda channel=channel: channel.state == "closed", 15, "it is closed", detail=box.describe)
        assert echo_of(client, b"hello") == b"hello", "the one that is agreed on goes on"


def test_an_echo_that_is_not_read_is_closed_at_its_limit(echoing):
    """It is flooded by one that takes nothing back, and says at each packet that it is there."""
    network, box = echoing
    with well(network, box), HubPhone(network.phone("ada")) as ada:
        client = dial_direct(ada, box)
        before = box.rss()

        def take_nothing():
            association = client.connection.sctp
            association._advertised_rwnd = -10**9

            async def ignore(chunk):
                association._sack_needed = True
            association._receive_data_chunk = ignore

        ada.call(take_nothing)
        frame = (59_996).to_bytes(4, "big") + bytes(59_996)
        sent, highest = 0, 0
        begin = time.monotonic()
        # The channel's end waits behind what is not read: the connection ends three seconds after it, and what comes in
        # these is for nobody.
        while client.state == "open" and time.monotonic() < begin + 60 and box.status()["traffic"]["hubPeers"] == 2:
            if ada.call(lambda: client.channel.bufferedAmount) < 1 << 20:
                with contextlib.suppress(InvalidStateError):
                    client.send(frame)
                sent += 1
            else:
                time.sleep(0.02)
            highest = max(highest, box.rss())
        assert sent > 250, f"17 MB may wait, not {sent * 60_000}"
        assert highest < before + 40_000_000
        wait_until(lambda: box.status()["traffic"]["hubPeers"] == 1, 20, "it is gone", detail=box.describe)
