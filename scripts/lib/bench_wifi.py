"""Measures access points on the rig's kernel: the box, hostapd with dnsmasq, and iwd. scripts/lib/bench.py runs it there
(see scripts/lib/rig-run) and makes its lines, one JSON list [row, value] each, into the table.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests"))

from Rig.accesspoint import Hostapd, IWDAccessPoint, RadioBox, StandIn  # noqa: E402
from Rig.air import Air  # noqa: E402
from Rig.box import Box as PlainBox  # noqa: E402
from Rig.wifi import WiFiPhone, WPASupplicant  # noqa: E402

STATIONS = 20
LIMIT = 60
ALL_FRAMES = 3
"""ETH_P_ALL"""

BEACON = 0x80
"""The first octet of a beacon: version, type and subtype."""


class Box(RadioBox):
    """The box, with what makes it comparable: a channel, and WPA2, which is all that iwd knows."""

    def __init__(self, air: Air, start: bool = True):
        super().__init__(air, "wpa2", {"wifi.channel": 6}, start=start)

    def begin(self) -> None:
        self.start()


ACCESS_POINTS: dict[str, Callable] = {
    "": Box,
    " hostapd": lambda air, start=True: Hostapd(air, "wpa2", start=start),
    " iwd": lambda air, start=True: IWDAccessPoint(air, start=start),
}


def memory(pids: list[int], kind: str = "Pss") -> float:
    """Memory of some processes in MB, each shared page by the part of it that is theirs; or of a kind: `Pss_Anon` is what
    they have for their data."""
    return sum(int(re.search(rf"^{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1])
               for pid in pids) * 1024 / 1e6


def memory_without_wifi() -> float:
    """Memory of a box that makes no Wi-Fi, in MB."""
    with PlainBox() as box:
        time.sleep(2)
        return memory([box.pid])


def start_to_beacon(make: Callable) -> float:
    """Milliseconds from its start until the first beacon is on the air."""
    with Air(phones=0) as air, socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_FRAMES)) as ear:
        ear.bind(("hwsim0", 0))
        ear.settimeout(LIMIT)
        access_point = make(air, start=False)
        try:
            came: list[float] = []

            def listen() -> None:
                while not came:
                    frame = ear.recv(4096)
                    # Before the frame there is a header of radiotap, whose length is its third and fourth octet.
                    if frame[int.from_bytes(frame[2:4], "little")] == BEACON:
                        came.append(time.monotonic())

            thread = threading.Thread(target=listen)
            began = time.monotonic()
            thread.start()
            access_point.begin()
            thread.join(LIMIT)
            return (came[0] - began) * 1e3
        finally:
            access_point.close()


def association_to_ping(access_point, phone: WiFiPhone) -> float:
    """Milliseconds from the phone's first frame to the access point until the first answer to its pings."""
    client = phone.begin(WPASupplicant, access_point.ssid, access_point.passphrase, "wpa2",
                         frequency=access_point.frequency, waiting=True)
    # An address of its own: how long a DHCP client waits between its tries is not what is measured.
    phone.run("ip", "addr", "add", f"{access_point.wifi_address.rpartition('.')[0]}.200/24", "dev", phone.radio)
    # The kernel asks anew for the box's hardware address after a second; a phone that asked too early would wait for that.
    phone.run("sysctl", "-qw", f"net.ipv4.neigh.{phone.radio}.retrans_time_ms=20")
    client.go()
    client.wait_event("CTRL-EVENT-CONNECTED", LIMIT)
    pinging = phone.start("ping", "-n", "-D", "-i", "0.01", "-c", "100", access_point.wifi_address)
    pinging.process.wait(LIMIT)
    began = float(re.search(r"^(\d+\.\d+): \S+ SME: Trying to authenticate", client.program.log(), re.M)[1])
    answered = float(re.search(r"^\[(\d+\.\d+)\] \d+ bytes from", pinging.log(), re.M)[1])
    phone.leave()
    return (answered - began) * 1e3


def all_in(access_point, phones: list[WiFiPhone]) -> float:
    """Seconds from the word until all of them are on the Wi-Fi."""
    clients = [phone.begin(WPASupplicant, access_point.ssid, access_point.passphrase, "wpa2",
                           frequency=access_point.frequency, waiting=True) for phone in phones]
    time.sleep(1)
    began = time.monotonic()
    for client in clients:
        client.go()
    for client in clients:
        client.wait_event("CTRL-EVENT-CONNECTED", LIMIT)
    return time.monotonic() - began


def tell(row: str, value: float) -> None:
    print(json.dumps([row, value]), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure access points; one JSON list a line.")
    parser.add_argument("--only", choices=[name.strip() or "box" for name in ACCESS_POINTS])
    options = parser.parse_args()
    for who, make in ACCESS_POINTS.items():
        if options.only and options.only != (who.strip() or "box"):
            continue
        # The box is more than an access point: what it has without one is taken off. Not while another runs, for then the
        # two share their code.
        without = memory_without_wifi() if make is Box else 0
        tell("wifi start" + who, start_to_beacon(make))
        with Air(phones=STATIONS) as air:
            with make(air) as access_point:
                phones = [WiFiPhone(air, air.radios[-1]) for _ in range(STATIONS)]
                try:
                    idle, data = memory(access_point.pids()), memory(access_point.pids(), "Pss_Anon")
                    added = idle - without
                    tell("wifi memory" + who, idle)
                    tell("wifi memory added" + who, added)
                    for _ in range(3):
                        tell("wifi ping" + who, association_to_ping(access_point, phones[0]))
                    tell("wifi stations" + who, all_in(access_point, phones))
                    # Of what is shared the phones' programs now bear a part: that is not counted as saved.
                    tell("wifi memory stations" + who, added + memory(access_point.pids(), "Pss_Anon") - data)
                finally:
                    for phone in phones:
                        phone.close()


if __name__ == "__main__":
    main()
