"""The measurements of `scripts/bench`, which builds what they need and then runs this."""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests"))

from Rig.box import ROOT, Box, clean_environment, executable, yaml_text  # noqa: E402
from Rig.network import Network, trouble  # noqa: E402

LOAD = os.environ.get("KIBITZ_LOAD", "")
TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 60
"""Seconds that a load may take beyond its measured time."""

PAIRS = 100
FRAME = 1500
FLAT_OUT = {"window": 8, "seconds": 1.5}
"""As fast as the broker relays, with as many frames under way for each client as a phone sends when it calls. Not for
longer, because the broker allows a client so many frames at once, and 200 a second in the long run."""
PACED = {"window": 50, "rate": 100}
"""Each of the 200 clients sends a frame every 10 ms."""

TURN_CLIENTS = 20
TURN_MESSAGES = 2000
TURN_SIZE = 1200
TURN_INTERVAL = 2
"""Milliseconds between two messages of a client, as `turnutils_uclient -z` takes them."""

USER, PASSWORD = "bench", "bench"

HUB_PHONES = 400
HUB_SECONDS = 8
HUB_PAIRED = 50
HUB_WINDOW = 8
"""Frames each phone has under way, when they send as fast as they are routed."""
HUB_FRAME = 400
HUB_ECHOES = 20
"""Frames that each phone has echoed in a second, while one of them floods."""


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process, those that ended included."""
    # The kernel scales utime + stime to the scheduler's own exact sum; only the unit is coarse (10 ms).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident(pid: int) -> int:
    """Bytes of memory a process has resident."""
    return int(re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)[1]) * 1024


class Load:
    """A run of the load program: its events, and the CPU time that a server used in the measured time."""

    def __init__(self, *arguments: object, prefix: list[str] = []):
        self.command = [*prefix, LOAD, *map(str, arguments)]
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)

    def wait_for(self, event: str) -> dict:
        for line in self.process.stdout:
            words = json.loads(line)
            if words["event"] == event:
                return words
        raise SystemExit(f"bench: {' '.join(self.command)} failed: its own words are above")

    def measured(self, pid: int) -> dict:
        self.wait_for("start")
        before = cpu_seconds(pid)
        done = self.wait_for("done")
        done["cpu"] = cpu_seconds(pid) - before
        if not done.get("frames", done.get("answers")):
            raise SystemExit(f"bench: {' '.join(self.command)} got nothing back")
        return done

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_) -> None:
        self.process.stdout.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Coturn:
    """Debian's `turnserver`, in a box's namespace, with what a TURN server for a room needs and no more."""

    def __init__(self, network: Network):
        self.directory = tempfile.TemporaryDirectory(prefix="kibitz-bench-")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", network.box, "turnserver", "-n", "--listening-ip", network.address, "--relay-ip",
             network.address, "--listening-port", "3478", "--lt-cred-mech", "--user", f"{USER}:{PASSWORD}", "--realm",
             "bench", "--no-cli", "--no-tls", "--no-dtls", "--log-file", "stdout", "--simple-log", "--userdb",
             f"{self.directory.name}/db", "--pidfile", f"{self.directory.name}/pid"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        if self.process.poll() is not None:
            raise SystemExit(f"bench: turnserver ended with status {self.process.returncode}")

    pid = property(lambda self: self.process.pid)
    credentials = (USER, PASSWORD)

    def __enter__(self) -> Coturn:
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.directory.cleanup()


class Ours(Box):
    """A box in a network's namespace."""

    def __init__(self, network: Network):
        self.network = network
        super().__init__({"addresses": [network.address]}, namespace=network.box)

    @property
    def credentials(self) -> tuple[str, str]:
        """What `/api/turn` hands out."""
        servers = self.fetch("/api/turn", address=self.network.address).json()["iceServers"]
        server = next(server for server in servers if "username" in server)
        return server["username"], server["credential"]


# Each part yields (row, value): a row has a name, a unit, the bar and the reference of its table line.

ROWS = {
    "start first": ("start to ready, first start", "ms", "1000", ""),
    "start later": ("start to ready, later starts", "ms", "1000", ""),
    "memory idle": ("memory, idle", "MB", "30", "PeerServer 54"),
    "memory client": ("memory for each idle client", "kB", "", ""),
    "broker cpu": ("broker: CPU for each relayed frame of 1.5 kB, flat out", "µs", "5.9", "PeerServer 17.7"),
    "broker rate": ("broker: frames relayed in a second, flat out", "", "", ""),
    "broker paced cpu": ("broker: CPU for each frame, 20,000 frames a second", "µs", "", ""),
    "broker paced p50": ("broker: time from client to client so, median", "ms", "", ""),
    "broker paced p99": ("broker: time from client to client so, 99 of 100", "ms", "", ""),
    "broker memory": ("memory after the load of 200 clients", "MB", "37.7", "PeerServer 113"),
    "stun rate": ("STUN: answers in a second", "", "", "coturn"),
    "stun cpu": ("STUN: CPU for each answer", "µs", "coturn's", "coturn"),
    "turn cpu": ("TURN: CPU for each message from client to client", "µs", "coturn's", "coturn"),
    "turn lost": ("TURN: messages lost", "%", "", "coturn"),
    "turn memory": ("memory after the TURN load", "MB", "", "coturn"),
    "hub connect": ("hub: CPU for each phone that connects, check to id", "ms", "0.5", "Go hub 0.7 to 0.8"),
    "hub phone": ("hub: memory for each connected phone", "kB", "48", "Go hub 74 to 152"),
    "hub memory": ("memory with 400 phones after 8 s of frames", "MB", "48", "Go hub 100"),
    "hub cpu": ("hub: CPU for each frame of 400 bytes routed", "µs", "9", "Go hub 18 to 23"),
    "hub rate": ("hub: frames in a second, 50 phones in pairs", "", "", "Go hub 41,000; at least 60,000"),
    "hub p99": ("hub: time from phone to phone so, 99 of 100", "ms", "", ""),
    "hub flood p50": ("hub: round trip of others while one floods, median", "ms", "", ""),
    "hub flood p99": ("hub: round trip of others while one floods, 99 of 100", "ms", "50", ""),
    "wifi start": ("Wi-Fi: start to the first beacon", "ms", "hostapd's", "hostapd, iwd"),
    "wifi ping": ("Wi-Fi: a phone's first frame to its first ping", "ms", "hostapd's", "hostapd, iwd"),
    "wifi stations": ("Wi-Fi: 20 phones all in", "s", "hostapd's", "hostapd, iwd"),
    "wifi stations cpu": ("Wi-Fi: what the access point computes for these", "s", "", "hostapd, iwd"),
    "wifi flood rate": ("Wi-Fi: wrong passphrases a second, 50 or more", "", "", "hostapd"),
    "wifi flood cpu": ("Wi-Fi: what the access point computes for one", "ms", "", "hostapd"),
    "wifi flood lost": ("Wi-Fi: pings of a phone lost meanwhile", "%", "0", "hostapd"),
    "wifi flood ping": ("Wi-Fi: a phone's ping meanwhile, 95 of 100", "ms", "hostapd's", "hostapd"),
    "wifi flood join": ("Wi-Fi: another's first frame to its first ping meanwhile", "ms", "hostapd's", "hostapd"),
    "wifi flood elsewhere rate": ("Wi-Fi: the same at another access point, a second", "", "", "hostapd"),
    "wifi flood elsewhere lost": ("Wi-Fi: pings of a phone lost by that", "%", "", "hostapd"),
    "wifi flood elsewhere ping": ("Wi-Fi: a phone's ping by that, 95 of 100", "ms", "", "hostapd"),
    "wifi flood elsewhere join": ("Wi-Fi: another's first frame to its first ping by that", "ms", "", "hostapd"),
    "wifi memory": ("Wi-Fi: memory without phones, all of the box", "MB", "", "hostapd, iwd"),
    "wifi memory added": ("Wi-Fi: memory that it adds to the box", "MB", "hostapd's", "hostapd, iwd"),
    "wifi memory stations": ("Wi-Fi: memory that it adds, with 20 phones", "MB", "hostapd's", "hostapd, iwd"),
}
"""Each row's words, its unit, the most it may be, and what stands beside it."""


def start(seconds: float):
    """From the process's start until its link is printed and its web server answers."""
    with Box({"panel": "terminal"}, start=False) as box:
        for name in ("first", "later", "later"):
            yield f"start {name}", start_once(box)


def start_once(box: Box) -> float:
    box.config_file.write_text(yaml_text(box.settings))
    with open(box.log_file, "wb") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            [str(executable()), "run", "--config", str(box.config_file), "--state", str(box.state)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=clean_environment())
    try:
        for line in process.stdout:
            if f":{box.http_port}/#".encode() in line:
                break
        else:
            raise SystemExit(f"bench: the box ended before it printed its link:\n{box.log_file.read_text()}")
        if box.fetch("/api/room").status != 200:
            raise SystemExit("bench: the box printed its link before its web server answered")
        return (time.monotonic() - began) * 1000
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(PATIENCE)


def memory(seconds: float):
    """A box that nobody uses, and what each client adds that only keeps its connection."""
    with Box() as box:
        time.sleep(3)
        idle = resident(box.pid)
        yield "memory idle", idle / 1e6
        with Load("broker", "--port", box.http_port, "--pairs", PAIRS, "--window", 0, "--seconds", seconds) as load:
            load.wait_for("done")
            yield "memory client", (resident(box.pid) - idle) / 1e3 / (2 * PAIRS)


def broker(seconds: float):
    with Box() as box:
        done = broker_load(box, **FLAT_OUT)
        yield "broker cpu", done["cpu"] / done["frames"] * 1e6
        yield "broker rate", done["frames"] / done["seconds"]
        yield "broker memory", resident(box.pid) / 1e6
    with Box() as box:
        done = broker_load(box, **PACED, seconds=seconds)
        yield "broker paced cpu", done["cpu"] / done["frames"] * 1e6
        yield "broker paced p50", done["p50_us"] / 1e3
        yield "broker paced p99", done["p99_us"] / 1e3


def broker_load(box: Box, **shape: float) -> dict:
    arguments = [part for name, value in shape.items() for part in (f"--{name}", value)]
    with Load("broker", "--port", box.http_port, "--pairs", PAIRS, "--size", FRAME, *arguments) as load:
        return load.measured(box.pid)


def stun(seconds: float):
    with Network() as network:
        phone = network.phone("load")
        for who, server in (("", Ours), (" coturn", Coturn)):
            with server(network) as running:
                with Load("stun", "--host", network.address, "--port", 3478, "--seconds", seconds,
                          prefix=["ip", "netns", "exec", phone.namespace]) as load:
                    done = load.measured(running.pid)
                yield "stun rate" + who, done["answers"] / done["seconds"]
                yield "stun cpu" + who, done["cpu"] / done["answers"] * 1e6


def turn(seconds: float):
    with Network() as network:
        phone = network.phone("load")
        for who, server in (("", Ours), (" coturn", Coturn)):
            with server(network) as running:
                user, password = running.credentials
                before = cpu_seconds(running.pid)
                result = subprocess.run(
                    ["ip", "netns", "exec", phone.namespace, "turnutils_uclient", "-y", "-c", "-u", user, "-w", password,
                     "-m", str(TURN_CLIENTS), "-n", str(TURN_MESSAGES), "-l", str(TURN_SIZE), "-z", str(TURN_INTERVAL),
                     network.address], capture_output=True, text=True, timeout=PATIENCE * 3)
                used = cpu_seconds(running.pid) - before
                counts = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", result.stdout + result.stderr)
                if result.returncode or not counts or not int(counts[-1][1]):
                    raise SystemExit(f"bench: turnutils_uclient failed:\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
                sent, received = map(int, counts[-1])
                yield "turn cpu" + who, used / received * 1e6
                yield "turn lost" + who, (sent - received) / sent * 100
                yield "turn memory" + who, resident(running.pid) / 1e6


def hub(seconds: float):
    """Phones on loopback, each with an address of its own, that connect, hold, and send."""
    with Box() as box:
        time.sleep(3)
        idle = resident(box.pid)
        with hub_load(box, phones=HUB_PHONES, window=0, seconds=3) as load:
            load.wait_for("begin")
            before = cpu_seconds(box.pid)
            load.wait_for("ready")
            yield "hub connect", (cpu_seconds(box.pid) - before) / HUB_PHONES * 1e3
            load.wait_for("done")
            yield "hub phone", (resident(box.pid) - idle) / 1e3 / HUB_PHONES
    with Box() as box, hub_load(box, phones=HUB_PHONES, window=1, seconds=HUB_SECONDS) as load:
        load.measured(box.pid)
        yield "hub memory", resident(box.pid) / 1e6
    with Box() as box, hub_load(box, phones=HUB_PAIRED, window=HUB_WINDOW, seconds=seconds) as load:
        done = load.measured(box.pid)
        yield "hub cpu", done["cpu"] / done["frames"] * 1e6
        yield "hub rate", done["frames"] / done["seconds"]
        yield "hub p99", done["p99_us"] / 1e3
    with Box() as box, hub_load(box, "--flood", phones=HUB_PAIRED, rate=HUB_ECHOES, seconds=seconds) as load:
        done = load.measured(box.pid)
        if done["flood"] < 10_000 * seconds:
            raise SystemExit(f"bench: {done['flood']:,.0f} frames in {seconds:g} s are no flood")
        yield "hub flood p50", done["p50_us"] / 1e3
        yield "hub flood p99", done["p99_us"] / 1e3


def hub_load(box: Box, *flags: str, **shape: float) -> Load:
    blob = box.status()["blob"]
    arguments = [part for name, value in shape.items() for part in (f"--{name}", value)]
    return Load("hub", "--port", blob.rpartition("~")[2], "--blob", blob, "--size", HUB_FRAME, *arguments, *flags)


def wifi(seconds: float):
    """Access points on a kernel with simulated radios, hostapd's with dnsmasq."""
    with subprocess.Popen(
            # The guest has an environment of its own: without this it would be a debug build that is measured.
            [ROOT / "scripts/lib/rig-run", os.environ["KIBITZ_KERNEL"], "env", f"KIBITZ_LOCAL={executable()}",
             sys.executable, ROOT / "scripts/lib/bench_wifi.py"], stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
            env={"RIG_LIMIT": "1800", **os.environ}) as guest:
        words = guest.stdout.read()
    if guest.returncode:
        raise SystemExit(f"bench: the access points could not be measured:\n{words}")
    for line in words.splitlines():
        yield json.loads(line)


PARTS = {part.__name__: part for part in (start, memory, broker, stun, turn, hub, wifi)}


def number(value: float) -> str:
    """Three digits that matter."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def table(medians: dict[str, float]) -> None:
    print(f"{'':58}{'measured':>12}{'at most':>12}   beside")
    for key, (words, unit, bar, beside) in ROWS.items():
        if key not in medians:
            continue
        # Where it was measured beside others, their names stand for what they have.
        others = [name for name in beside.split(", ") if f"{key} {name}" in medians]
        if others:
            beside = ", ".join(f"{name} {number(medians[f'{key} {name}'])}" for name in others)
        print(f"{words:58}{number(medians[key]) + ' ' + unit:>12}{bar:>12}   {beside}".rstrip())


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure a release build; print one table.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {' '.join(PARTS)}; all by default")
    parser.add_argument("--runs", type=int, default=3, help="runs, of which the table has the medians (3)")
    parser.add_argument("--seconds", type=float, default=5, help="measured seconds of each load (5)")
    parser.add_argument("--json", action="store_true", help="print every value as JSON instead of the table")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part named {' '.join(sorted(unknown))}; there are {' '.join(PARTS)}")
    if not 1 <= options.runs <= 100 or not 1 <= options.seconds <= 300:
        parser.error("--runs goes from 1 to 100, --seconds from 1 to 300")
    parts = [part for name, part in PARTS.items() if not options.parts or name in options.parts]
    if {stun, turn} & set(parts) and (reason := trouble()):
        raise SystemExit(f"bench: {reason}, and the parts stun and turn are measured in one")

    values: dict[str, list[float]] = {}
    for _ in range(options.runs):
        for part in parts:
            for key, value in part(options.seconds):
                values.setdefault(key, []).append(value)
    if options.json:
        print(json.dumps(values, indent=2))
    else:
        table({key: statistics.median(measured) for key, measured in values.items()})


if __name__ == "__main__":
    main()
