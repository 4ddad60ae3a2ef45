"""Phones that vanish, radios that do, and everything back by itself."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from Rig.accesspoint import RadioBox
from Rig.network import run
from Rig.waiting import wait_until
from Rig.wifi import WPASupplicant

PHONES = 2

BACK = 30
"""Seconds until the access point must be back once nothing is in its way."""


def join(box, phone, security: str = "both", timeout: float | None = None) -> None:
    phone.begin(WPASupplicant, box.ssid, box.passphrase, security, frequency=box.frequency)
    phone.client.wait_connected(timeout or 20)
    phone.lease()


def is_well(box, phone) -> None:
    """The access point is up, and this phone gets back to it, whatever it still believes."""
    box.wait_up(BACK)
    wait_until(lambda: box.wifi()["trouble"] is None, BACK, "all is well", detail=box.wifi)
    join(box, phone)
    assert phone.ping(box.wifi_address) == 3
    assert phone.hardware in box.stations()


# Phones


@pytest.mark.box
@pytest.mark.parametrize("box, security", [("wpa2", "wpa2"), ("transition", "both")], indirect=["box"])
def test_a_phone_that_vanished_is_let_go_after_its_minute(box, phones, security):
    gone, quiet = phones.new(), phones.new()
    join(box, gone, security)
    join(box, quiet, security)
    gone.vanish()
    began = time.monotonic()
    time.sleep(50)
    assert box.stations() == sorted([gone.hardware, quiet.hardware]), "it may only be behind a wall"
    wait_until(lambda: box.stations() == [quiet.hardware], 60, "the one that vanished is gone", detail=box.wifi)
    assert 55 < time.monotonic() - began < 90
    # One that has nothing to say is asked, answers, and stays.
    time.sleep(180)
    assert box.stations() == [quiet.hardware] and quiet.client.connected
    assert quiet.ping(box.wifi_address) == 3


@pytest.mark.box
def test_a_phone_may_be_away_for_a_moment(box, phone):
    join(box, phone)
    # Longer, and the phone itself gives up: it hears no more beacons.
    with phone.out_of_range():
        time.sleep(0.5)
    assert phone.ping(box.wifi_address, count=10) >= 9
    assert phone.client.connected and "DISCONNECTED" not in phone.client.program.log()


@pytest.mark.box
@pytest.mark.parametrize("away", [20, 100])
def test_a_phone_comes_back_by_itself_after_it_was_away(box, phone, away):
    """Whether the box had let it go by then or not."""
    join(box, phone)
    with phone.out_of_range():
        time.sleep(away)
        wait_until(lambda: not phone.client.connected, 30, "it has noticed")
    phone.client.wait_connected(90)
    assert phone.ping(box.wifi_address) == 3
    assert box.stations() == [phone.hardware]


# The radio


@pytest.mark.box
def test_a_blocked_radio(box, phone):
    """Airplane mode, by a switch or by a program."""
    join(box, phone)
    run("rfkill", "block", "wifi")
    told = wait_until(lambda: "rfkill" in ((told := box.wifi())["trouble"] or "") and told, 10, "the box says what is wrong",
                      detail=box.wifi)
    assert told["state"] != "up"
    assert told["trouble"] in box.command("status").stdout and told["trouble"] in box.command("wifi").stdout
    time.sleep(60)
    # Nothing opens for those who were on it.
    assert "kibitz-local" in run("nft", "list", "tables") and box.ssid not in run("iw", "dev")
    run("rfkill", "unblock", "wifi")
    is_well(box, phone)


@pytest.mark.box
def test_a_radio_that_is_off_when_it_comes(air, phones):
    """As each new one is on Raspberry Pi OS, which is nobody's wish."""
    with RadioBox(air) as box:
        air.unload()
        wait_until(lambda: not box.up, 10, "the box has noticed")
        run("rfkill", "block", "wifi")
        try:
            air.load()
            box.wait_up(BACK)
        finally:
            run("rfkill", "unblock", "wifi")
        is_well(box, phones.new())


@pytest.mark.box
def test_a_radio_that_is_switched_off_gives_way(air, phones):
    phone = phones.new()
    with RadioBox(air) as box:
        radio = box.wifi()["radio"]
        switch = next(Path(f"/sys/class/net/{box.interface}/phy80211").glob("rfkill*"))
        others = [interface for interface in air.radios if air.phy(interface) != radio]
        (switch / "soft").write_text("1")
        try:
            box.wait_up(BACK)
            assert others and box.wifi()["radio"] != radio
            is_well(box, phone)
        finally:
            (switch / "soft").write_text("0")


@pytest.mark.box
def test_the_driver_is_loaded_anew(air, phones):
    with RadioBox(air) as box:
        ssid, passphrase = box.ssid, box.passphrase
        for pause in (0, 60):
            air.unload()
            told = wait_until(lambda: (told := box.wifi())["state"] != "up" and told, 10, "the box has noticed")
            assert told["trouble"]
            time.sleep(pause)
            air.load()
            box.wait_up(BACK)
            assert (box.ssid, box.passphrase) == (ssid, passphrase)
        is_well(box, phones.new())


@pytest.mark.box
@pytest.mark.parametrize("others", [0, 1])
def test_an_adapter_that_is_pulled_and_plugged_in_again(air, phones, others):
    """One radio goes from under its access point, without a word to anybody; another may be there in its place."""
    phone = phones.new()
    if not others:
        phones.new()
    run("ip", "netns", "add", "drawer")
    try:
        with RadioBox(air) as box:
            join(box, phone)
            radio = box.wifi()["radio"]
            run("iw", "phy", radio, "set", "netns", "name", "drawer")
            if others:
                wait_until(lambda: (told := box.wifi())["state"] == "up" and told["radio"] != radio, BACK,
                           "another radio has its turn", detail=box.describe)
                is_well(box, phone)
            else:
                wait_until(lambda: box.status()["trouble"] and box.wifi()["trouble"], 10, "the box says what is wrong",
                           detail=box.describe)
                time.sleep(60)
                assert not box.up
            run("ip", "netns", "exec", "drawer", "iw", "phy", radio, "set", "netns", "1")
            is_well(box, phone)
    finally:
        run("ip", "netns", "del", "drawer")


@pytest.mark.box
def test_a_radio_that_comes_late(air, phones):
    air.unload()
    try:
        box = RadioBox(air, up=False)
    finally:
        air.load()
    with box:
        is_well(box, phones.new())


@pytest.mark.box
def test_without_its_firewall_there_is_no_wifi(air, phones):
    """A guest could have reached everything that listens on the machine."""
    nft = run("which", "nft").strip()
    run("mount", "--bind", "/bin/false", nft)
    try:
        box = RadioBox(air, up=False)
        ups = 0
        for _ in range(60):
            ups += box.up
            time.sleep(0.25)
        assert not ups, "it stays off, but for the moment in which it finds out"
        wait_until(lambda: "firewall" in (box.wifi()["trouble"] or ""), 10, "the box says why", detail=box.wifi)
    finally:
        run("umount", nft)
    with box:
        is_well(box, phones.new())


@pytest.mark.box
@pytest.mark.parametrize("what", ["down", "deleted", "renamed", "station", "bridged"])
def test_an_interface_that_others_meddle_with(air, phones, what):
    # The phones take the other radios first.
    phone = phones.new()
    phones.new()
    with RadioBox(air) as box:
        join(box, phone)
        interface = box.interface
        starts = box.wifi()["starts"]
        if what == "bridged":
            # What comes in by a bridge's port is the bridge's to the firewall.
            run("ip", "link", "add", "br0", "type", "bridge")
            run("ip", "link", "set", interface, "master", "br0")
        else:
            run("ip", "link", "set", interface, "down") if what != "deleted" else run("iw", "dev", interface, "del")
        if what == "renamed":
            run("ip", "link", "set", interface, "name", "radio7")
        if what == "station":
            run("iw", "dev", interface, "set", "type", "managed", check=False)
        wait_until(lambda: (told := box.wifi())["state"] == "up" and told["starts"] > starts, BACK, "it is up again",
                   detail=lambda: f"{box.wifi()}\n{box.describe()}")
        if what == "bridged":
            assert "master" not in run("ip", "link", "show", "dev", box.interface)
            run("ip", "link", "del", "br0")
        is_well(box, phone)


@pytest.mark.box
def test_an_interface_that_is_renamed_while_it_is_up(air, phones):
    """Linux lets it stay up since 6.2. Rules, addresses and leases go by the name."""
    phone = phones.new()
    with RadioBox(air) as box:
        join(box, phone)
        starts, former = box.wifi()["starts"], box.interface
        run("ip", "link", "set", former, "name", "radio7")
        wait_until(lambda: (told := box.wifi())["interface"] == "radio7" and told["address"], 5, "the box follows",
                   detail=box.describe)
        rules = run("nft", "list", "table", "inet", "kibitz-local")
        assert '"radio7"' in rules and former not in rules
        phone.lease()
        assert phone.ping(box.wifi_address) == 3
        assert phone.client.connected and box.wifi()["starts"] == starts, "nobody had to come anew"
        assert box.wifi()["trouble"] is None and box.status()["trouble"] == []
        assert box.terminate() == 0
        # What the box had set on it goes with it, whatever it is called.
        assert run("sysctl", "-n", "net.ipv4.conf.radio7.arp_ignore", "net.ipv4.conf.radio7.rp_filter") == "0\n0\n"
        assert "10.77.0.1" not in run("ip", "addr", "show", "dev", "radio7")


# The box


@pytest.mark.box
def test_a_box_that_dies_leaves_nothing_on_the_air_and_finds_its_phones_again(air, box, phone):
    join(box, phone)
    before = (box.ssid, box.passphrase)
    box.kill()
    wait_until(lambda: not phone.client.connected, 30, "the phone has noticed")
    box.start()
    box.wait_up(BACK)
    assert (box.ssid, box.passphrase) == before
    phone.client.wait_connected(60)
    phone.lease()
    assert phone.ping(box.wifi_address) == 3


@pytest.mark.box
@pytest.mark.parametrize("was_killed", [False, True])
def test_a_box_that_is_stopped_says_goodbye_and_leaves_the_machine_as_it_was(air, phones, was_killed):
    """Also where a run before it was killed, whose settings of the interface it took for the machine's own."""
    def seen() -> dict[str, str]:
        settings = run("sh", "-c", f"cd /proc/sys/net && grep -s . ipv?/conf/{air.radios[0]}/*", check=False)
        return {
            "rules": run("nft", "list", "ruleset"), "addresses": run("ip", "-br", "addr", "show", "scope", "global"),
            "interface": re.search(r"type \w+", run("iw", "dev", air.radios[0], "info"))[0],
            "routes": run("ip", "route"), "forwarding": run("sysctl", "net.ipv4.ip_forward"), "settings": settings}

    phone = phones.new()
    before = seen()
    with RadioBox(air) as box:
        if was_killed:
            box.kill()
            box.start()
            box.wait_up()
            # What an interface is for may be its owner's wish.
            before["interface"] = "type AP"
        join(box, phone)
        phone.client.forget_events()
        assert box.terminate() == 0
        phone.client.wait_event("CTRL-EVENT-DISCONNECTED", 2)
        assert "dnsmasq" not in run("ps", "-eo", "comm")
        assert (after := seen()) == before, set(after["settings"].splitlines()) ^ set(before["settings"].splitlines())
