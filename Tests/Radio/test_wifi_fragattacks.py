"""FragAttacks (Vanhoef, "Fragment and Forge", USENIX Security 2021): frames that a stranger sends in the name of a phone,
or changes on their way, and that must come to nothing. Each test has the numbers of its cases in its name.

Two parts of the box keep them out. The kernel (mac80211, or the chip's firmware) decrypts, puts fragments together and
takes aggregates apart: what is sent here as data frames is its to refuse, and these tests show that the access point is
set up so that it does: the port is controlled, the key is there, an entry that is used again is a new one. EAPOL frames
come to the box itself whether they are encrypted or not, so those are its own: they end here, count only from a phone
whose handshake goes on, and in the clear only until there is a key (Tests/AuthenticatorTests has that too). What phones
make of forged frames of the access point is the phones' part. CVE-2020-26141 is of TKIP, which is not spoken here.
"""

from __future__ import annotations

import itertools
import time

import pytest
from conftest import ACCESS_POINT

from Rig.air import Air
from Rig.frames import EAPOL, IPV4, PAE_GROUP, Ear, Injector, aggregate, data_frame, datagram, octets, snap, subframe
from Rig.waiting import wait_until
from Rig.wifi import WiFiPhone, WPASupplicant

PHONES = 4

EVERYONE = "ff:ff:ff:ff:ff:ff"

START = bytes.fromhex("02010000")
"""An EAPOL-Start (IEEE 802.1X-2020, 11.3)."""


class Scene:
    """Two phones on the Wi-Fi, and a stranger."""

    def __init__(self, air: Air, box):
        self.air, self.box = air, box
        self.visits = 1
        """How often ada came."""
        self.ada, self.ben, self.eve = (WiFiPhone(air, air.radios[-1]) for _ in range(3))
        for phone, security in ((self.ada, "wpa2"), (self.ben, "both")):
            phone.join(WPASupplicant, box.ssid, box.passphrase, security, frequency=box.frequency)
            phone.lease()
        self.bss = self.ada.client.status()["bssid"]
        self.own = Injector(self.ada)
        """Sends under ada's key, what a stranger has changed of it on its way."""
        self.stranger = Injector(self.eve, box.frequency)
        self.ears = {"box": Ear(box.interface), "ben": Ear(self.ben.radio, self.ben.namespace)}
        self._sequences = itertools.count(1000)
        self._words = itertools.count(1)
        # What phones do with a new address (IPv6, multicast) would come between fragments.
        time.sleep(5)

    def close(self) -> None:
        for thing in (*self.ears.values(), self.own, self.stranger):
            thing.__exit__()
        for phone in (self.eve, self.ben, self.ada):
            phone.close()

    @property
    def sequence(self) -> int:
        """A number no frame had."""
        return next(self._sequences)

    def word(self) -> bytes:
        """A payload like no other, long enough for fragments."""
        return f"forged {next(self._words)} ".encode() * 8

    def body(self, word: bytes, where: str, *, phone: WiFiPhone | None = None) -> tuple[str, bytes]:
        """To whom, and what a frame with this payload to the box or to ben holds."""
        phone = phone or self.ada
        hardware, address = {"box": (self.bss, self.box.wifi_address), "ben": (self.ben.hardware, self.ben.address)}[where]
        return hardware, snap(IPV4, datagram(phone.address, address, word))

    def frames(self, word: bytes, where: str, *, pieces: int = 1, phone: WiFiPhone | None = None, **how) -> list[bytes]:
        """This payload as one frame, or in pieces, in ada's name."""
        phone = phone or self.ada
        destination, body = self.body(word, where, phone=phone)
        size = -(-len(body) // pieces)
        number = self.sequence
        return [data_frame(self.bss, phone.hardware, destination, body[place * size:(place + 1) * size], sequence=number,
                           fragment=place, more=place < pieces - 1, **how) for place in range(pieces)]

    def arrived(self, word: bytes) -> dict[str, int]:
        """How often a payload arrived where."""
        time.sleep(0.2)
        return {name: ear.datagrams(word) for name, ear in self.ears.items()}

    def is_well(self) -> None:
        """Nobody of those on the Wi-Fi has noticed anything."""
        for phone, visits in ((self.ada, self.visits), (self.ben, 1)):
            assert phone.ping(self.box.wifi_address) == 3
            assert phone.client.program.log().count("CTRL-EVENT-CONNECTED") == visits


@pytest.fixture(scope="module")
def scene():
    with Air(PHONES) as air, ACCESS_POINT(air, "transition") as box:
        made = Scene(air, box)
        try:
            yield made
        finally:
            made.close()


@pytest.fixture(params=["box", "ben"])
def where(request):
    """To the box, or by way of it to another phone."""
    return request.param


def reaches(where: str, times: int = 1) -> dict[str, int]:
    return {"box": 0, "ben": 0} | {where: times}


NOWHERE = {"box": 0, "ben": 0}


# What shows that the tests below would notice


def test_what_a_phone_sends_itself_does_arrive_whole_in_fragments_and_in_an_aggregate(scene, where):
    for pieces in (1, 2, 3):
        word = scene.word()
        for frame in scene.frames(word, where, pieces=pieces):
            scene.own.send(frame, encrypted=True)
        assert scene.arrived(word) == reaches(where), f"{pieces} pieces"
    words = [scene.word(), scene.word()]
    parts = [subframe(destination, scene.ada.hardware, body)
             for destination, body in (scene.body(word, where) for word in words)]
    scene.own.send(data_frame(scene.bss, scene.ada.hardware, scene.bss, aggregate(*parts), sequence=scene.sequence,
                              aggregated=True), encrypted=True)
    assert [scene.arrived(word) for word in words] == [reaches(where)] * 2


# Frames in the clear


@pytest.mark.parametrize("receiver", [None, EVERYONE], ids=["", "to everyone"])
@pytest.mark.parametrize("pieces", [1, 2], ids=["whole", "fragments"])
def test_cve_2020_26140_26143_26145_plaintext_in_the_name_of_a_phone(scene, where, pieces, receiver):
    word = scene.word()
    for frame in scene.frames(word, where, pieces=pieces, receiver=receiver):
        scene.stranger.send(frame)
    assert scene.arrived(word) == NOWHERE
    # Vulnerable receivers took a later fragment for a whole frame: here it is one.
    destination, body = scene.body(word, where)
    for more in (False, True):
        scene.stranger.send(data_frame(scene.bss, scene.ada.hardware, destination, body, sequence=scene.sequence,
                                       fragment=1, more=more, receiver=receiver))
    assert scene.arrived(word) == NOWHERE
    scene.is_well()


@pytest.mark.parametrize("kind", [EAPOL, IPV4], ids=["EAPOL", "IPv4"])
def test_cve_2020_26144_plaintext_aggregate_that_begins_like_eapol(scene, where, kind):
    word = scene.word()
    destination, body = scene.body(word, where)
    # The first part begins as a handshake's frame does, so some receivers let all of it in.
    first = snap(kind, octets(scene.ada.hardware)[2:]) + (8).to_bytes(2, "big") + bytes(8)
    scene.stranger.send(data_frame(scene.bss, scene.ada.hardware, scene.bss,
                                   aggregate(first, subframe(destination, scene.ada.hardware, body)),
                                   sequence=scene.sequence, aggregated=True))
    assert scene.arrived(word) == NOWHERE
    scene.is_well()


# Frames that were encrypted, and changed on their way


def test_cve_2020_24588_the_mark_of_an_aggregate_set_by_a_stranger(scene, where):
    """It is not authenticated. A packet whose identification is chosen well then holds a frame of a stranger's."""
    for aggregated, arrives in ((False, reaches("box")), (True, NOWHERE)):
        word = scene.word()
        destination, inner = scene.body(word, where)
        hidden = subframe(destination, scene.ada.hardware, inner)
        # The first part ends where the payload begins: 14 octets of its own header, and so many of the packet's.
        outer = snap(IPV4, datagram(scene.ada.address, scene.box.wifi_address, hidden, number=22))
        assert outer[12:14] == (22).to_bytes(2, "big") and outer[14 + 22:] == hidden
        scene.own.send(data_frame(scene.bss, scene.ada.hardware, scene.bss, outer, sequence=scene.sequence,
                                  aggregated=aggregated), encrypted=True)
        assert scene.arrived(hidden) == arrives, "as it was sent it is a packet like any other"
        assert scene.arrived(word) == NOWHERE
    scene.is_well()


def test_cve_2020_26146_fragments_whose_packet_numbers_do_not_follow_each_other(scene, where):
    word = scene.word()
    first, second = scene.frames(word, where, pieces=2)
    scene.own.send(first, encrypted=True)
    assert scene.ada.ping(scene.box.wifi_address, count=1) == 1
    scene.own.send(second, encrypted=True)
    assert scene.arrived(word) == NOWHERE
    scene.is_well()


@pytest.mark.parametrize("encrypted", [(True, False), (False, True)], ids=["first encrypted", "second encrypted"])
def test_cve_2020_26147_fragments_of_which_one_is_plaintext(scene, where, encrypted):
    word = scene.word()
    for frame, is_encrypted in zip(scene.frames(word, where, pieces=2), encrypted):
        (scene.own if is_encrypted else scene.stranger).send(frame, encrypted=is_encrypted)
    assert scene.arrived(word) == NOWHERE
    scene.is_well()


@pytest.mark.parametrize("place", [0, 1])
def test_cve_2020_26142_a_fragment_is_no_whole_frame(scene, where, place):
    word = scene.word()
    destination, body = scene.body(word, where)
    scene.own.send(data_frame(scene.bss, scene.ada.hardware, destination, body, sequence=scene.sequence, fragment=place,
                              more=place == 0), encrypted=True)
    assert scene.arrived(word) == NOWHERE
    scene.is_well()


@pytest.mark.parametrize("again", ["REASSOCIATE", "DISCONNECT"])
def test_cve_2020_24586_fragments_before_and_after_a_phone_came_anew(scene, where, again):
    """What is left of an earlier visit must not be put together with what comes in a later one."""
    word = scene.word()
    first, second = scene.frames(word, where, pieces=2)
    client = scene.ada.client
    scene.own.send(first, encrypted=True)
    client.forget_events()
    client.command(again)
    if again == "DISCONNECT":
        client.command("RECONNECT")
    client.wait_event("CTRL-EVENT-CONNECTED", 20)
    scene.visits += 1
    scene.own.send(second, encrypted=True)
    assert scene.arrived(word) == NOWHERE
    scene.is_well()


def test_cve_2020_24587_fragments_under_two_keys(scene, where):
    with WiFiPhone(scene.air, scene.air.radios[-1]) as cy:
        client = cy.begin(WPASupplicant, scene.box.ssid, scene.box.passphrase, "wpa2", frequency=scene.box.frequency,
                          waiting=True)
        client.command("SET_NETWORK 0 wpa_ptk_rekey 5")
        client.go()
        client.wait_connected()
        cy.lease()
        word, later = scene.word(), scene.word()
        first, second = scene.frames(word, where, pieces=2, phone=cy)

        def keys() -> int:
            return client.program.log().count("WPA: Key negotiation completed")

        before = keys()
        with Injector(cy) as injector:
            injector.send(first, encrypted=True)
            wait_until(lambda: keys() > before, 20, "it has another key", detail=client.log)
            injector.send(second, encrypted=True)
            assert scene.arrived(word) == NOWHERE
            for frame in scene.frames(later, where, pieces=2, phone=cy):
                injector.send(frame, encrypted=True)
            assert scene.arrived(later) == reaches(where), "under one key they belong together"
    scene.is_well()


# EAPOL


@pytest.mark.parametrize("destination", ["ben", "everyone", "port"])
def test_cve_2020_26139_eapol_of_who_is_not_let_in_reaches_nobody(scene, destination):
    to = {"ben": scene.ben.hardware, "everyone": EVERYONE, "port": PAE_GROUP}[destination]
    with WiFiPhone(scene.air, scene.air.radios[-1]) as cy:
        client = cy.begin(WPASupplicant, scene.box.ssid, "not the passphrase", "wpa2", frequency=scene.box.frequency)
        client.wait_event("Associated with", 20)
        word = scene.word()
        for kind, payload in ((EAPOL, START + word), (IPV4, datagram("10.77.0.200", scene.ben.address, word))):
            scene.stranger.send(data_frame(scene.bss, cy.hardware, to, snap(kind, payload), sequence=scene.sequence))
        assert cy.hardware in [station["address"] for station in scene.box.wifi()["stations"]], "it is on its way in"
        assert scene.arrived(word) == NOWHERE
        for ear in scene.ears.values():
            assert ear.of_type(EAPOL, cy.hardware) == []
        assert cy.hardware not in scene.box.stations()
    scene.is_well()


def test_cve_2020_26139_eapol_of_who_is_let_in_reaches_nobody_else_either(scene):
    def send(kind: int) -> list[bytes]:
        for to in (scene.ben.hardware, EVERYONE):
            scene.own.send(data_frame(scene.bss, scene.ada.hardware, to, snap(kind, START), sequence=scene.sequence),
                           encrypted=True)
        time.sleep(0.2)
        return scene.ears["ben"].of_type(kind, scene.ada.hardware)

    assert send(EAPOL) == []
    assert len(send(0x88B5)) == 2, "of a type for experiments they do arrive"
    scene.is_well()


def test_eapol_that_nobody_asked_for_does_nothing_however_much_of_it_comes(scene):
    nobody = "02:12:34:56:78:9a"
    logs = [phone.client.program.log() for phone in (scene.ada, scene.ben)]
    before = scene.box.wifi()
    for number in range(500):
        for source in (scene.ada.hardware, nobody):
            scene.stranger.send(data_frame(scene.bss, source, (scene.bss, PAE_GROUP)[number % 2],
                                           snap(EAPOL, START + bytes(number)), sequence=number))
        if number % 10 == 0:
            scene.own.send(data_frame(scene.bss, scene.ada.hardware, scene.bss, snap(EAPOL, START), sequence=scene.sequence),
                           encrypted=True)
    scene.is_well()
    for phone, log in zip((scene.ada, scene.ben), logs):
        assert phone.client.program.log()[len(log):].count("WPA: ") == 0, "no handshake began"
    after = scene.box.wifi()
    assert [station["address"] for station in after["stations"]] == [station["address"] for station in before["stations"]]
    assert after["starts"] == before["starts"] and after["state"] == "up"
