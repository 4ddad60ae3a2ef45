"""A web server that is no box and serves the room page's files, as any static host would."""

from __future__ import annotations

import subprocess
import sys

from Rig.box import ROOT
from Rig.network import inside
from Rig.party import Party
from Rig.waiting import wait_until

PORT = 9000


class StaticHost:
    """In the network of a party, for as long as the block runs: `with StaticHost(party) as host: host.origin`."""

    def __init__(self, party: Party):
        self.namespace = party.network.box
        self.address = party.network.address
        self.origin = f"http://{self.address}:{PORT}"
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.namespace, sys.executable, "-m", "http.server", str(PORT),
             "--bind", self.address, "--directory", str(ROOT / "Sources/WebClient/Site")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self) -> StaticHost:
        wait_until(self._answers, 20, "the static host answers", every=0.1)
        return self

    def _answers(self) -> bool:
        import socket

        with inside(self.namespace), socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((self.address, PORT)) == 0

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()
