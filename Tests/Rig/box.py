"""A running `kibitz-local`, as an owner would run it.

    with Box() as box:
        box.status()["link"]

Every box has its own state directory, configuration file, log file and free ports, so any number of them run side
by side. Every wait has a bound; what the box wrote is part of each error.
"""

from __future__ import annotations

import collections
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from Rig.network import inside
from Rig.waiting import PATIENCE, wait_until

ROOT = Path(__file__).resolve().parents[2]
"""The root of the repository."""

START_LIMIT = 20.0
"""Seconds a box may take to be ready. It needs well under one; a busy machine needs more."""

COMMAND_LIMIT = 20.0
"""Seconds a command such as `kibitz-local status` may take."""

STOP_LIMIT = 10.0
"""Seconds a box may take to stop in order."""

ON_RIG_KERNEL = "RIG_JOB" in os.environ
"""Whether this is the kernel of scripts/lib/rig-run."""


def executable() -> Path:
    """The executable under test: `KIBITZ_LOCAL`, else the debug build."""
    return Path(os.environ.get("KIBITZ_LOCAL") or ROOT / ".build/debug/kibitz-local").resolve()


RELAY_PORTS = range(49152, 65536)
"""Ports that a box keeps for TURN by default, and so refuses for anything else."""


_given_ports: collections.deque[int] = collections.deque(maxlen=100)
"""What `free_port` answered of late: one box got the same port for its hub and its relay once."""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, address: str = "127.0.0.1") -> int:
    """A port that nothing listens on now, and that was not given to anything a moment ago."""
    while True:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
            if port not in RELAY_PORTS and port not in _given_ports:
                _given_ports.append(port)
                return port


def yaml_text(settings: dict) -> str:
    """Settings as YAML in block style: `{"http.port": 1}` becomes `http:` and, indented, `port: 1`."""
    tree: dict = {}
    for key, value in settings.items():
        *parents, last = key.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[last] = value

    def lines(branch: dict, indent: str) -> list[str]:
        out = []
        for key, value in branch.items():
            if isinstance(value, dict):
                out += [f"{indent}{key}:"] + lines(value, indent + "  ")
            else:
                out.append(f"{indent}{key}: {json.dumps(value)}")  # JSON's scalars and lists are YAML's too
        return out

    return "\n".join(lines(tree, "")) + "\n"


class CommandFailed(Exception):
    """A `kibitz-local` command ended with another status than 0."""

    def __init__(self, result: subprocess.CompletedProcess):
        super().__init__(f"{result.args} ended with {result.returncode}\n{result.stdout}\n{result.stderr}")
        self.result = result


def clean_environment(additions: dict | None = None) -> dict:
    """This process's environment without the rig's own variables: the box reads every `KIBITZ_…` as a setting."""
    return {key: value for key, value in os.environ.items() if not key.startswith("KIBITZ_")} | (additions or {})


def command(*arguments: str, environment: dict | None = None, prefix: list[str] | None = None,
            timeout: float = COMMAND_LIMIT) -> subprocess.CompletedProcess:
    """Run `kibitz-local` with these arguments to its end; standard output and error are text."""
    return subprocess.run(
        [*(prefix or []), str(executable()), *map(str, arguments)], capture_output=True, text=True,
        timeout=timeout * PATIENCE,
        env=clean_environment(environment), stdin=subprocess.DEVNULL)


class Answer(NamedTuple):
    """What a web server answered; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self):
        return json.loads(self.body)


class Box:
    """One box: `kibitz-local run` on a state directory of its own.

    `config` holds dotted keys (`{"room.people": 4}`) laid over the defaults below; a value of None removes a key.
    `namespace` is the name of a network namespace to run in. The object may be started, killed and started again; the
    state stays until `close()`.
    """

    def __init__(self, config: dict | None = None, *, namespace: str | None = None, state: Path | None = None,
                 environment: dict | None = None, start: bool = True):
        self.namespace = namespace
        self.prefix = ["ip", "netns", "exec", namespace] if namespace else []
        self.environment = environment or {}
        self._own_directory = Path(tempfile.mkdtemp(prefix="kibitz-box-"))
        self.state = Path(state) if state else self._own_directory / "state"
        self.config_file = self._own_directory / "config.yaml"
        self.log_file = self._own_directory / "log"
        self.process: subprocess.Popen | None = None
        settings = {
            "addresses": ["127.0.0.1"],
            "http.port": 8080 if namespace else free_port(),
            "https.port": 8443 if namespace else free_port(),
            "stun.port": 3478 if namespace else free_port(socket.SOCK_DGRAM),
            "hub.port": 4711 if namespace else free_port(socket.SOCK_DGRAM),
            "panel": "none",
            "wifi": "none",
            **(config or {}),
        }
        self.settings = {key: value for key, value in settings.items() if value is not None}
        if start:
            try:
                self.start()
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Box:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    # Life

    def start(self, timeout: float = START_LIMIT) -> Box:
        """Start and wait until the box answers `status`. Returns itself."""
        self.launch()
        try:
            wait_until(self._ready, timeout, "the box is ready", every=0.05, detail=self.describe)
        except BaseException:
            self.kill()
            raise
        return self

    def launch(self) -> None:
        """Start and wait for nothing."""
        assert self.process is None, "this box runs already"
        self.config_file.write_text(yaml_text(self.settings))
        if not executable().exists():
            raise FileNotFoundError(f"{executable()} is missing: run `swift build` or set KIBITZ_LOCAL")
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, str(executable()), "run", "--config", str(self.config_file), "--state", str(self.state)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env=clean_environment(self.environment), start_new_session=True)

    def _ready(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"the box ended with {self.process.returncode} before it was ready\n{self.describe()}")
        # A box killed before leaves its socket file behind: only this process's answer counts.
        # `status` answers a moment before the web server listens.
        try:
            return self.status()["pid"] == self.process.pid and all(
                self.fetch("/api/room", secure=secure).status == 200 for secure in (False, True))
        except (CommandFailed, OSError):
            return False

    @property
    def pid(self) -> int:
        assert self.process is not None, "this box does not run"
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL, as when the power goes."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(STOP_LIMIT)
            self.process = None

    def terminate(self) -> int:
        """SIGTERM, and wait for the end. Returns the exit status."""
        process, self.process = self.process, None
        process.terminate()
        try:
            return process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the box did not stop within {STOP_LIMIT} s of SIGTERM\n{self.describe()}") from None

    def close(self) -> None:
        """End the box and remove its files."""
        self.kill()
        shutil.rmtree(self._own_directory, ignore_errors=True)

    # What an owner does

    def command(self, name: str, *arguments: str) -> subprocess.CompletedProcess:
        """`kibitz-local NAME --state DIR …`."""
        return command(name, "--state", str(self.state), *arguments, environment=self.environment, prefix=self.prefix)

    def _succeed(self, name: str, *arguments: str) -> str:
        result = self.command(name, *arguments)
        if result.returncode != 0:
            raise CommandFailed(result)
        return result.stdout

    def status(self) -> dict:
        """`kibitz-local status --json`."""
        return self.tell("status")

    def tell(self, name: str) -> dict:
        """`kibitz-local NAME --json`. On the rig's kernel, where a program takes long to start, its control socket is
        asked as the command asks it: tests that wait for something ask a hundred times."""
        if not ON_RIG_KERNEL:
            return json.loads(self._succeed(name, "--json"))
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(COMMAND_LIMIT * PATIENCE)
            control.connect(str(self.state / "control.sock"))
            control.sendall(json.dumps(name).encode() + b"\n")
            answer = json.loads(b"".join(iter(lambda: control.recv(65536), b"")))
        assert name in answer, answer
        return answer[name]

    @property
    def link(self) -> str:
        """The join link."""
        return self.status()["link"]

    @property
    def secret(self) -> str:
        """The room's secret: what stands after `#` in the join link."""
        return self.link.partition("#")[2]

    def rotate(self) -> str:
        """`kibitz-local rotate`. Returns the new join link."""
        self._succeed("rotate")
        return self.link

    def qr_png(self, path: Path) -> Path:
        """`kibitz-local qr --png FILE`. Returns the file."""
        self._succeed("qr", "--png", str(path))
        return Path(path)

    # What a client does

    def fetch(self, path: str, *, method: str = "GET", body: object = None, headers: dict | None = None,
              secure: bool = False, address: str | None = None, timeout: float = 10.0) -> Answer:
        """One HTTP request from the box's own machine; a `body` that is no bytes goes as JSON."""
        host, port = address or self.address, self.https_port if secure else self.http_port
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPSConnection(
            host, port, timeout=timeout, context=ssl._create_unverified_context()  # its own certificate, by its own CA
        ) if secure else http.client.HTTPConnection(host, port, timeout=timeout)
        try:
            with inside(self.namespace):
                connection.connect()
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def metrics(self) -> dict[str, float]:
        """`/metrics`, from loopback, as series → value."""
        text = self.fetch("/metrics", address="127.0.0.1").text
        return {series: float(value) for series, value in re.findall(r"^([^#\s{]+(?:\{.*\})?) (\S+)$", text, re.M)}

    # Where it is

    @property
    def http_port(self) -> int:
        return self.settings["http.port"]

    @property
    def https_port(self) -> int:
        return self.settings["https.port"]

    @property
    def stun_port(self) -> int:
        return self.settings["stun.port"]

    @property
    def address(self) -> str:
        return self.settings.get("addresses", ["127.0.0.1"])[0]

    @property
    def http(self) -> str:
        """The origin of plain HTTP, without a slash at the end."""
        return f"http://{self.address}:{self.http_port}"

    @property
    def https(self) -> str:
        return f"https://{self.address}:{self.https_port}"

    # What it costs

    def rss(self) -> int:
        """Resident memory in bytes."""
        return int(re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(), re.M)[1]) * 1024

    def watch_peak(self) -> None:
        """Count `peak()` from here on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # proc(5)

    def peak(self) -> int:
        """The most resident memory since `watch_peak()`, in bytes."""
        return int(re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(), re.M)[1]) * 1024

    def cpu(self) -> float:
        """Processor time used since the start, user and system, in seconds."""
        # The fields are counted after the name, which stands in parentheses and may hold spaces.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self) -> int:
        """Open file descriptors."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def log(self, last: int = 20_000) -> str:
        """The end of what the box wrote, in characters."""
        return self.log_file.read_text(errors="replace")[-last:] if self.log_file.exists() else ""

    def describe(self) -> str:
        """For a failed test: how the box is and what it wrote."""
        state = "not started" if self.process is None else (
            "running" if self.alive else f"ended with {self.process.returncode}")
        return f"box {self.address} ({state})\n{self.log()}"
