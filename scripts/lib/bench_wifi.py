"""Measures access points on the rig's kernel: the box, hostapd with dnsmasq, and iwd. scripts/lib/bench.py runs it there
(see scripts/lib/rig-run) and makes its lines, one JSON list [row, value] each, into the table.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import socket
import statistics
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests"))

from Rig.accesspoint import Hostapd, IWDAccessPoint, RadioBox, StandIn  # noqa: E402
from Rig.air import Air  # noqa: E402
from Rig.box import Box as PlainBox  # noqa: E402
from Rig.strangers import Strangers  # noqa: E402
from Rig.wifi import WiFiPhone, WPASupplicant  # noqa: E402

STATIONS = 20
LIMIT = 60

PHASES = 16
"""Points, evenly spread over the time between two beacons, at which starts are measured."""

BEACON_INTERVAL = 102_400
"""Microseconds. The simulated radios send their beacons when the clock is a multiple of it: from a start to the first beacon
it takes 0 to that much longer, whoever starts; half of it on the mean."""

ROUNDS = 3
"""How often each access point has its turn with the phones: whatever else the machine does meets all of them alike."""

TIMES = 3
"""How often each of a turn's measurements is made."""

FLOOD = 10
"""Seconds for which strangers try wrong passphrases."""

ALL_FRAMES = 3
"""ETH_P_ALL"""

TIMESTAMPS = 35
"""SO_TIMESTAMPNS, whose messages are of the same number: when the kernel had a frame, in seconds and nanoseconds."""

BEACON = 0x80
"""The first octet of a beacon: version, type and subtype."""


class Box(RadioBox):
    """The box, with what makes it comparable: a channel, and WPA2, which is all that iwd knows."""

    def __init__(self, air: Air, start: bool = True):
        super().__init__(air, "wpa2", {"wifi.channel": 6}, start=start)

    def begin(self) -> None:
        self.launch()

    def end(self) -> None:
        self.terminate()


ACCESS_POINTS: dict[str, Callable] = {
    "": Box,
    " hostapd": lambda air, start=True: Hostapd(air, "wpa2", start=start),
    " iwd": lambda air, start=True: IWDAccessPoint(air, start=start),
}


def cpu(pids: list[int]) -> float:
    """Seconds that some processes have computed so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


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


def starts_to_beacon(makers: dict[str, Callable]) -> None:
    """Tells milliseconds from a start until the first beacon is on the air, one access point after the other, with the
    starts evenly spread over the beacon interval. None is a first start: a box makes its keys then, and files are read.
    Of the starts at the same point the shortest counts: what else the machine does only adds, now to one, now to another."""
    with Air(phones=0) as air, socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_FRAMES)) as ear:
        ear.bind(("hwsim0", 0))
        # When the kernel sent it, not when this program got the only processor to read it: who still starts other things then
        # would be charged for them.
        ear.setsockopt(socket.SOL_SOCKET, TIMESTAMPS, 1)
        access_points = {who: make(air, start=False) for who, make in makers.items()}
        took: dict[str, list[list[float]]] = {who: [[] for _ in range(PHASES)] for who in access_points}
        for start in range(-1, PHASES * TIMES):
            phase = start % PHASES
            for who, access_point in access_points.items():
                time.sleep((phase * BEACON_INTERVAL // PHASES - time.time_ns() // 1000) % BEACON_INTERVAL / 1e6)
                try:
                    milliseconds = start_to_beacon(access_point, ear)
                finally:
                    access_point.end()
                if start >= 0:
                    took[who][phase].append(milliseconds)
                time.sleep(0.2)
        for who, phases in took.items():
            tell("wifi start" + who, statistics.mean(min(times) for times in phases))


def start_to_beacon(access_point, ear: socket.socket) -> float:
    """Milliseconds. `ear` hears all frames."""
    ear.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while ear.recv(4096):
            pass  # of the one before
    ear.settimeout(LIMIT)
    began = time.time_ns()
    access_point.begin()
    while True:
        frame, messages, _, _ = ear.recvmsg(4096, 256)
        # Before the frame there is a header of radiotap, whose length is its third and fourth octet.
        if frame[int.from_bytes(frame[2:4], "little")] == BEACON:
            seconds, nanoseconds = struct.unpack("qq", messages[0][2])
            return (seconds * 1_000_000_000 + nanoseconds - began) / 1e6


def association_to_ping(access_point, phone: WiFiPhone, host: int = 200) -> float:
    """Milliseconds from the phone's first frame to the access point until the first answer to its pings. Its address ends
    with `host`."""
    # Known before: a box is asked for it by a command, which takes its time.
    address = access_point.wifi_address
    client = phone.begin(WPASupplicant, access_point.ssid, access_point.passphrase, "wpa2",
                         frequency=access_point.frequency, waiting=True)
    # An address of its own: how long a DHCP client waits between its tries is not what is measured.
    phone.run("ip", "addr", "add", f"{address.rpartition('.')[0]}.{host}/24", "dev", phone.radio)
    # The kernel asks anew for the box's hardware address after a second; a phone that asked too early would wait for that.
    phone.run("sysctl", "-qw", f"net.ipv4.neigh.{phone.radio}.retrans_time_ms=20")
    client.go()
    client.wait_event("CTRL-EVENT-CONNECTED", LIMIT)
    pinging = phone.start("ping", "-n", "-D", "-i", "0.01", "-c", "100", address)
    pinging.process.wait(LIMIT)
    began = float(re.search(r"^(\d+\.\d+): \S+ SME: Trying to authenticate", client.program.log(), re.M)[1])
    answered = float(re.search(r"^\[(\d+\.\d+)\] \d+ bytes from", pinging.log(), re.M)[1])
    phone.leave()
    return (answered - began) * 1e3


def flooded(access_point, flooded_one, phones: list[WiFiPhone]) -> dict[str, float]:
    """What an access point's phones have of wrong passphrases at 50 a second, tried there or at another: how many of these
    there were in a second, and what one costs the access point to compute; of a phone that is on, how many of its pings are
    lost, in percent, and the time that 95 of 100 take at most; and how long another needs that joins meanwhile. All times in
    milliseconds."""
    guest, late, *others = phones
    address = access_point.wifi_address
    guest.join(WPASupplicant, access_point.ssid, access_point.passphrase, "wpa2", frequency=access_point.frequency)
    guest.run("ip", "addr", "add", f"{address.rpartition('.')[0]}.201/24", "dev", guest.radio)
    count = 20 * FLOOD
    strangers = Strangers(others, flooded_one, "wpa2")
    pinging = guest.start("ping", "-n", "-i", "0.05", "-c", str(count), "-W", "2", address)
    pids = access_point.pids()
    with strangers:
        computed = cpu(pids)
        time.sleep(FLOOD / 4)
        joins = []
        for _ in range(TIMES):
            joins.append(association_to_ping(access_point, late))
            time.sleep(FLOOD / 8)
        pinging.process.wait(LIMIT)
        computed = cpu(pids) - computed
    times = [float(value) for value in re.findall(r"time=([\d.]+) ms", pinging.log())]
    return {"rate": strangers.rate, "cpu": 1e3 * computed / max(1, strangers.attempts),
            "lost": 100 * (count - len(times)) / count,
            "ping": statistics.quantiles(times, n=20)[-1] if len(times) > 1 else 1e3 * LIMIT,
            "join": statistics.median(joins)}


def report_floods(who: str, access_point, phones: list[WiFiPhone]) -> None:
    """Tells what strangers do to an access point's phones, and what the same strangers do to them who try at another, an
    hostapd on the same channel. There, too, the rig's one processor computes what they try: that part of their effect is not
    the access point's."""
    (radio,) = set(access_point.air.radios) - {access_point.interface}
    with Hostapd(access_point.air, "wpa2", radio=radio, ssid="elsewhere", start=False) as elsewhere:
        elsewhere.begin()
        elsewhere.wait_up()
        for row, flooded_one in ("flood", access_point), ("flood elsewhere", elsewhere):
            for what, value in flooded(access_point, flooded_one, phones).items():
                tell(f"wifi {row} {what}{who}", value)
            for phone in phones:
                phone.leave()


def all_in(access_point, phones: list[WiFiPhone]) -> tuple[float, float]:
    """Seconds from the word until all of them are on the Wi-Fi, and how many of them the access point computed."""
    clients = [phone.begin(WPASupplicant, access_point.ssid, access_point.passphrase, "wpa2",
                           frequency=access_point.frequency, waiting=True) for phone in phones]
    time.sleep(1)
    pids = access_point.pids()
    computed, began = cpu(pids), time.monotonic()
    for client in clients:
        client.go()
    for client in clients:
        client.wait_event("CTRL-EVENT-CONNECTED", LIMIT)
    return time.monotonic() - began, cpu(pids) - computed


def tell(row: str, value: float) -> None:
    print(json.dumps([row, value]), flush=True)


def turn(who: str, make: Callable, without: float, is_first: bool) -> None:
    """One access point's turn."""
    # As an access point iwd lets nobody in while strangers try, and it would take a spare radio for its own.
    is_flooded = who != " iwd"
    with Air(phones=STATIONS + is_flooded) as air, make(air) as access_point:
        phones = [WiFiPhone(air, air.radios[-1]) for _ in range(STATIONS)]
        try:
            idle, data = memory(access_point.pids()), memory(access_point.pids(), "Pss_Anon")
            for _ in range(TIMES):
                tell("wifi ping" + who, association_to_ping(access_point, phones[0]))
            for _ in range(TIMES):
                seconds, computed = all_in(access_point, phones)
                tell("wifi stations" + who, seconds)
                tell("wifi stations cpu" + who, computed)
                if is_first:
                    added = idle - without
                    tell("wifi memory" + who, idle)
                    tell("wifi memory added" + who, added)
                    # Of what is shared the phones' programs now bear a part: that is not counted as saved.
                    tell("wifi memory stations" + who, added + memory(access_point.pids(), "Pss_Anon") - data)
                    is_first = False
                for phone in phones:
                    phone.leave()
            if is_flooded:
                report_floods(who, access_point, phones)
        finally:
            for phone in phones:
                phone.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure access points; one JSON list a line.")
    parser.add_argument("--only", choices=[name.strip() or "box" for name in ACCESS_POINTS])
    parser.add_argument("--part", choices=["start", "phones"])
    options = parser.parse_args()
    # As on a machine that a box is installed on. The box asks for it at each start, and where a group is not found in this file
    # the system's other sources are asked, which takes longer. (The rig's kernel keeps changes in memory.)
    if "RIG_JOB" in os.environ:
        with open("/etc/group", "a") as groups:
            groups.write("kibitz:x:987:\n")
    makers = {who: make for who, make in ACCESS_POINTS.items() if options.only in (None, who.strip() or "box")}
    if options.part != "phones":
        starts_to_beacon(makers)
    if options.part != "start":
        # The box is more than an access point: what it has without one is taken off. Not while another runs, for then the
        # two share their code.
        without = memory_without_wifi() if "" in makers else 0
        for round in range(ROUNDS):
            for who, make in makers.items():
                turn(who, make, without if who == "" else 0, round == 0)


if __name__ == "__main__":
    main()
