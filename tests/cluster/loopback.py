"""Ray for a test: one test at a time, on loopback, in a folder of its own, and nothing left after it."""

import fcntl
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HEAD, SECOND = "127.0.0.2", "127.0.0.3"
_ENDING_S = 90.0
"""An agent of Ray's looks for its raylet every few seconds, and on a busy machine several times before it believes."""

# Ray listens on every interface, so whoever reaches this machine must not get in, and reads this once, when imported.
os.environ |= {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    "RAY_USAGE_STATS_ENABLED": "0",
}


@contextmanager
def ray_alone() -> Iterator[None]:
    """Have Ray for oneself: tests in other processes wait."""
    ray = pytest.importorskip("ray")
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # sockets live in it: their paths must be short
    with Path(tempfile.gettempdir(), "dartune-tests-ray.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("RAY_TMPDIR", folder)
                yield
            assert not ray.is_initialized()
            assert_gone(folder)
        finally:
            ray.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def two_nodes(n_cpus: int = 4) -> Iterator["Nodes"]:
    """A cluster of two nodes; the driver belongs to the first, and the second may be lost."""
    with ray_alone():
        from ray.cluster_utils import Cluster

        cluster = Cluster()
        try:
            settings = {"num_cpus": n_cpus, "include_dashboard": False}
            cluster.add_node(node_ip_address=HEAD, **settings)
            yield Nodes(cluster, cluster.add_node(node_ip_address=SECOND, **settings))
        finally:
            import ray

            ray.shutdown()
            cluster.shutdown()


class Nodes:
    """Two nodes."""

    def __init__(self, cluster: Any, second: Any) -> None:
        self.cluster, self.second = cluster, second

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def lose_second(self) -> None:
        """Kill every process of the second node."""
        self.cluster.remove_node(self.second, allow_graceful=False)


def processes(marker: str) -> dict[int, str]:
    """Process id -> command line of those that were started with `marker` in their environment."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if marker.encode() in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it ended, or is another user's
                continue
    return found


def assert_gone(marker: str) -> None:
    """Nothing is left of a cluster, after a moment."""
    deadline_s = time.monotonic() + _ENDING_S
    while (left := processes(marker)) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert left == {}


def replica_pids(name: str = "ray::Host") -> list[int]:
    """Processes of the replicas of the cluster that this test runs."""
    return [pid for pid, command in processes(os.environ["RAY_TMPDIR"]).items() if command.startswith(name)]
