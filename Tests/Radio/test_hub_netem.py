"""The hub over a cable as bad as a full hall's Wi-Fi: packets lost, late, out of order and twice (tc's netem)."""

from __future__ import annotations

import contextlib
import json
import random
import re

import pytest

from Rig.box import Box
from Rig.hub import LARGEST, HubPhone
from Rig.network import Network, Phone, run
from Rig.waiting import wait_until

LIMIT = 180
"""Seconds anything may take. Losses make it slow, and a busy machine, on whose clock this kernel runs, slower still."""

LOSS = ("loss", "5%")
LATE = ("delay", "30ms", "10ms", "reorder", "25%", "50%")
TWICE = ("duplicate", "1%")


@contextlib.contextmanager
def disturbed(phone: Phone, *disturbance: str):
    """Have netem disturb what goes each way between a phone and the box, for as long as the block runs. Gives a function
    that tells how many packets were lost so far."""
    ends = ((phone.namespace, phone.inner), (phone.network.box, phone.outer))
    for namespace, device in ends:
        run("tc", "-n", namespace, "qdisc", "add", "dev", device, "root", "netem", "limit", "10000", *disturbance)

    def lost() -> int:
        told = [run("tc", "-n", namespace, "-s", "qdisc", "show", "dev", device) for namespace, device in ends]
        return sum(int(count) for text in told for count in re.findall(r"dropped (\d+)", text))

    try:
        yield lost
    finally:
        for namespace, device in ends:
            run("tc", "-n", namespace, "qdisc", "del", "dev", device, "root")


@pytest.fixture(scope="module")
def network():
    with Network() as made:
        yield made


@pytest.fixture(scope="module")
def box(network):
    with Box({"addresses": [network.address]}, namespace=network.box) as running:
        yield running


@pytest.mark.parametrize("disturbance", [LOSS, LOSS + LATE + TWICE], ids=["lost", "lost, late, twice"])
def test_everything_arrives_once_and_in_order(network, box, disturbance):
    phone = network.phone("ada")
    blob = box.status()["blob"]
    with disturbed(phone, *disturbance) as lost, HubPhone(phone) as ada, HubPhone(network.phone("ben")) as ben:
        first, second = ada.dial(blob, timeout=LIMIT).join("netem"), ben.dial(blob, timeout=LIMIT).join("netem")
        content = "".join(random.choices("abcdefghij", k=100_000))
        for number in range(400):
            first.send({"t": "to", "id": second.id, "payload": number})
            second.send({"t": "to", "id": first.id, "payload": number})
        for client, other in ((first, second), (second, first)):
            client.send({"t": "to", "id": other.id, "payload": content})
        for client in (first, second):
            assert [client.receive(LIMIT)["payload"] for _ in range(401)] == [*range(400), content]
        longest = "y" * (LARGEST - len(json.dumps({"t": "echo", "x": ""})))
        assert first.echo(longest, LIMIT) == [], "nothing arrives twice"
        assert second.echo(timeout=LIMIT) == []
        assert lost() > 20


def test_a_phone_dials_and_comes_back_through_it(network, box):
    phone = network.phone("ada")
    blob = box.status()["blob"]
    with disturbed(phone, *LOSS, *LATE, *TWICE), HubPhone(phone) as ada:
        for number in range(3):
            room = f"back {number}"
            client = ada.dial(blob, timeout=LIMIT)
            former, token = client.resume(room)["id"], client.token
            client.lose()
            again = ada.dial(blob, timeout=LIMIT)
            assert again.resume(room, token)["id"] == former
            assert again.peers() == [former]
            again.close()
    # A goodbye may be lost: then silence tells.
    wait_until(lambda: box.status()["traffic"]["hubClients"] == 0, LIMIT, "the hub has let go of all", detail=box.describe)
