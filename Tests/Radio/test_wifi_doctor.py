"""`kibitz-local doctor` on a machine that is to make its own Wi-Fi: what is wrong, each time with the mend."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from Rig.accesspoint import RadioBox
from Rig.box import command
from Rig.network import run
from Rig.waiting import wait_until

PHONES = 0

COUNTRY_MISSING = "it is not set"


def doctor(tmp_path, *settings: str, prefix: list[str] | None = None) -> list[tuple[str, str, str]]:
    """What a doctor finds: (verdict, subject and detail, mend)."""
    arguments = [word for setting in ("wifi=auto", "country=GB", *settings) for word in ("--set", setting)]
    result = command("doctor", "--state", str(tmp_path / "state"), *arguments, prefix=prefix)
    found = []
    for line in result.stdout.splitlines():
        if line.startswith("         "):
            found[-1] = (*found[-1][:2], line.strip())
        else:
            found.append((line[:5].strip(), line[5:].strip(), ""))
    assert found, result.stderr
    assert (result.returncode != 0) == any(verdict == "WRONG" for verdict, _, _ in found), result
    return found


def about(found, *subjects: str) -> list[tuple[str, str, str]]:
    return [entry for entry in found if entry[1].partition(":")[0] in subjects]


def wrong(found) -> list[tuple[str, str]]:
    """What is wrong with the Wi-Fi: (detail, mend)."""
    return [(detail.partition(": ")[2], mend) for verdict, detail, mend in about(found, "wifi", "country") if verdict != "ok"]


@contextlib.contextmanager
def pretending(tmp_path, name: str):
    """A program of that name runs."""
    program = tmp_path / name
    shutil.copy("/bin/sleep", program)
    process = subprocess.Popen([program, "1000"])
    wait_until(lambda: Path(f"/proc/{process.pid}/comm").read_text().strip() == name[:15], 5, f"{name} runs", every=0.02)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_all_is_well(air, tmp_path):
    found = doctor(tmp_path)
    assert wrong(found) == []
    assert ("ok", "country: GB", "") in found
    assert ("ok", f"wifi: radios: {air.phy(air.radios[0])}", "") in found


def test_no_radio(air, tmp_path):
    air.unload()
    try:
        assert wrong(doctor(tmp_path)) == [
            ("there is no Wi-Fi adapter", "plug one in, or set wifi to none if the box shall join a network that is there")]
    finally:
        air.load()


def test_a_radio_that_is_switched_off(air, tmp_path):
    run("rfkill", "block", "wifi")
    try:
        assert wrong(doctor(tmp_path)) == [(f"{air.phy(air.radios[0])} is switched off", "rfkill unblock wifi")]
    finally:
        run("rfkill", "unblock", "wifi")


def test_no_country(air, tmp_path):
    ((detail, mend),) = wrong(doctor(tmp_path, "country="))
    assert detail.startswith(COUNTRY_MISSING) and mend == "set country"


def test_no_rules_for_any_country(air, tmp_path):
    database = Path("/lib/firmware/regulatory.db").resolve()
    away = database.with_name("away")
    database.rename(away)
    link = Path("/lib/firmware/regulatory.db")
    try:
        ((detail, mend),) = wrong(doctor(tmp_path))
        assert "no radio rules" in detail and mend == "apt install wireless-regdb"
    finally:
        away.rename(database)
    assert link.exists()


def test_programs_that_are_missing(air, tmp_path):
    nft = run("which", "nft").strip()
    away = Path(nft).with_name("nft-away")
    Path(nft).rename(away)
    try:
        assert wrong(doctor(tmp_path))[0][1] == "apt install nftables"
    finally:
        away.rename(nft)


@pytest.mark.parametrize("interface", ["wlan7", "lo"])
def test_an_interface_that_is_none_of_a_radio(air, tmp_path, interface):
    assert wrong(doctor(tmp_path, f"wifi.interface={interface}")) == [
        (f"there is no Wi-Fi interface {interface}", "correct wifi.interface")]


@pytest.mark.parametrize("port, address, is_wrong", [
    (53, "0.0.0.0", True), (67, "0.0.0.0", True), (53, "127.0.0.53", False),
])
def test_a_program_that_answers_names_or_gives_out_addresses(air, tmp_path, port, address, is_wrong):
    """It was found out by the first phone, which got no address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((address, port))
        expected = [(f"{port}/udp is in use by another program, so phones on the Wi-Fi get no address",
                     f"stop it ('ss -lunp sport = :{port}' names it)")]
        assert wrong(doctor(tmp_path)) == (expected if is_wrong else [])


def test_a_firewall_of_the_owners(air, tmp_path):
    """As of ufw or firewalld: phones were on the Wi-Fi, got no address, and nothing said why."""
    rules = "table inet filter {{ chain input {{ type filter hook input priority filter; policy {};\n}}\n}}\n"
    for policy, is_told in (("accept", False), ("drop", True)):
        run("nft", "-f", "-", stdin=rules.format(policy))
        try:
            found = wrong(doctor(tmp_path))
        finally:
            run("nft", "delete", "table", "inet", "filter")
        assert bool(found) == is_told
    ((detail, mend),) = found
    assert detail.startswith("the firewall (table inet filter) lets in what its rules name")
    assert "tcp 8080, 8443, udp 53, 67, 3478, 4711, 49152-65535" in mend.replace("tcp 80, ", "tcp "), mend


def test_not_root(air, tmp_path):
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:
        with contextlib.suppress(PermissionError):
            folder.chmod(folder.stat().st_mode | 0o755)
    found = doctor(tmp_path, prefix=["setpriv", "--reuid=65534", "--clear-groups"])
    assert ("only root may make an access point", "run as root, or set wifi to none") in wrong(found)


@pytest.mark.parametrize("rival", ["hostapd", "wpa_supplicant"])
def test_another_program_that_wants_the_radio(air, tmp_path, rival):
    with pretending(tmp_path, rival):
        assert wrong(doctor(tmp_path)) == [
            (f"{rival} is running and may take the adapter", f"stop it: systemctl disable --now {rival}")]


def test_networkmanager_that_was_told_and_one_that_was_not(air, tmp_path):
    file = Path("/etc/NetworkManager/conf.d/kibitz-local.conf")
    # It runs wpa_supplicant itself, which is no rival then.
    with pretending(tmp_path, "NetworkManager"), pretending(tmp_path, "wpa_supplicant"):
        ((detail, mend),) = wrong(doctor(tmp_path))
        assert detail == "NetworkManager is running and may take the adapter"
        assert str(file) in mend and "unmanaged-devices=interface-name:wlan0" in mend
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(__file__).resolve().parents[2] / f"overlays/rootfs{file}", file)
        try:
            found = doctor(tmp_path)
            assert wrong(found) == []
            assert ("ok", f"wifi: NetworkManager leaves wlan0 to the box ({file})", "") in found
            # Not to another interface.
            assert "interface-name:wlan7" in wrong(doctor(tmp_path, "wifi.interface=wlan7"))[-1][1]
        finally:
            os.remove(file)


def test_a_box_that_runs_tells_of_its_wifi_itself(air):
    with RadioBox(air) as box:
        result = box.command("doctor", "--config", str(box.config_file))
        assert "ok     wifi: " in result.stdout and result.returncode == 0, result.stdout
        # Its own name server is in nobody's way.
        assert "in use" not in result.stdout
        # Its settings were given at its start, and the doctor does not know them.
        assert "ok     wifi: Radio" in box.command("doctor").stdout
        run("rfkill", "block", "wifi")
        try:
            wait_until(lambda: box.wifi()["state"] != "up", 10, "the box has noticed")
            result = box.command("doctor", "--config", str(box.config_file))
            assert "running box: " in result.stdout and "rfkill unblock wifi" in result.stdout, result.stdout
        finally:
            run("rfkill", "unblock", "wifi")
