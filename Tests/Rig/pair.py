"""Two well-behaved PeerJS clients that exchange frames all the time, to see whether anyone else's doings disturb them.

The pair lives in a process of its own, so that what a test does meanwhile does not count as the box's delay.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

PERIOD = 0.05
"""Seconds from one exchange to the next."""

FEWEST = 20
"""Delays that are measured at least, however short the test."""

PATIENCE = 10.0
"""Seconds a frame may take before the pair gives up."""


class Pair:
    """Start with `with Pair(origin) as pair:`; `pair.stop()` ends it and returns what it saw."""

    def __init__(self, url: str, name: str = "pair"):
        """`url` is the box's WebSocket origin, such as `ws://127.0.0.1:8080`."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "Rig.pair", url, name], cwd=Path(__file__).resolve().parents[1],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            self.process.kill()
            raise AssertionError("a well-behaved pair of clients could not connect")

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def stop(self) -> Delays:
        """End the exchange."""
        self.process.stdin.close()
        answer = self.process.stdout.read()
        assert self.process.wait(PATIENCE + 5) == 0, f"the pair was disturbed: {answer}"
        return Delays(json.loads(answer))


class Delays:
    """Seconds each frame took from one client through the box to the other."""

    def __init__(self, values: list[float]):
        self.values = values
        self.median = statistics.median(values)
        self.worst = max(values)

    def __repr__(self) -> str:
        return f"{len(self.values)} frames, median {self.median * 1000:.1f} ms, worst {self.worst * 1000:.0f} ms"


def exchange(url: str, name: str) -> None:
    import select

    from websockets.sync.client import connect

    ids = (f"{name}-a", f"{name}-b")
    sockets = [connect(f"{url}/peerjs?key=peerjs&id={id}&token=t-{id}&version=1.5.5", proxy=None) for id in ids]
    for socket in sockets:
        opened = json.loads(socket.recv(PATIENCE))
        assert opened["type"] == "OPEN", opened
    print("ready", flush=True)
    delays: list[float] = []
    while not select.select([sys.stdin], [], [], PERIOD)[0] or len(delays) < FEWEST:
        for (sender, receiver), (source, target) in ((sockets, ids), (sockets[::-1], ids[::-1])):
            start = time.monotonic()
            payload = {"n": len(delays), "sdp": "x" * 1200}
            sender.send(json.dumps({"type": "OFFER", "dst": target, "payload": payload}))
            got = json.loads(receiver.recv(PATIENCE))
            assert got == {"type": "OFFER", "src": source, "dst": target, "payload": payload}, got
            delays.append(time.monotonic() - start)
    print(json.dumps(delays))


if __name__ == "__main__":
    exchange(*sys.argv[1:3])
