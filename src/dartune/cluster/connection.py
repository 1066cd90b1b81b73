"""The way to a Ray cluster: joined once for a process, started where there is none, left by the last who uses it.

Importing this does not import Ray. Invariants: a cluster that dartune started ends with its last user; one that was
there before, or a session that the program had begun itself, is left as it was.
"""

import logging
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from dartune.errors import ConfigError, MissingExtra

_LOOPBACK = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
"""Ray takes 127.0.0.1 for a wish to be reached through the network, and looks for another interface."""
_OBJECT_STORE_BYTES = 256 * 2**20
"""Parcels of requests need little; Ray's default is a third of the memory."""
_REACH_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Actors, and what each of them reserves."""

    what: str
    """What they are, in the plural."""
    n_actors: int
    n_cpus: float
    n_gpus: float = 0.0

    def __str__(self) -> str:
        return f"{self.n_actors} {self.what} of {_resources(self.n_cpus, self.n_gpus)}"


class Connection:
    """A share in this process's connection to a cluster."""

    _n_shares = 0
    _is_ours = False

    def __init__(self, address: str | None) -> None:
        """Join the cluster at `address`, or start one for None, unless that was done before: `connect` checks first."""
        import ray

        if not ray.is_initialized():
            Connection._is_ours = True
            _begin(address)
        elif not Connection._n_shares:
            Connection._is_ours = False
        Connection._n_shares += 1
        self._is_open = True

    def close(self) -> None:
        """Give the share back; with the last one a connection that was ours ends."""
        import ray

        if not self._is_open:
            return
        self._is_open = False
        Connection._n_shares -= 1
        if not Connection._n_shares and Connection._is_ours:
            ray.shutdown()

    def check(self, demands: Sequence[Demand]) -> None:
        """Raise ConfigError if the cluster, were it empty, could not hold all actors of `demands`."""
        nodes = _nodes()
        free = [list(node) for node in nodes]
        for demand in demands:
            n_open = demand.n_actors
            for node in free:
                while n_open and node[0] >= demand.n_cpus and node[1] >= demand.n_gpus:
                    node[0] -= demand.n_cpus
                    node[1] -= demand.n_gpus
                    n_open -= 1
            if n_open:
                raise ConfigError(
                    f"engine: {' and '.join(map(str, demands))} do not fit into the cluster, which has "
                    f"{_nodes_in_words(nodes)}; lower {_FIELDS}"
                )

    def shortage(self, demands: Sequence[Demand]) -> ConfigError:
        """What to say where no actor of `demands` got its resources, although the cluster would hold them."""
        import ray

        free = ray.available_resources()  # type: ignore[no-untyped-call]
        return ConfigError(
            f"engine: no place for {' and '.join(map(str, demands))}: of the cluster's {_nodes_in_words(_nodes())} "
            f"{_resources(free.get('CPU', 0.0), free.get('GPU', 0.0))} are free; wait for them, or lower {_FIELDS}"
        )


_FIELDS = "engine.n_replicas, engine.n_cpus, engine.n_gpus or engine.n_graders"


def connect(address: str | None) -> Connection:
    """A share in the connection to the cluster at `address` ("auto": this machine's); None starts one here.

    Raises:
        MissingExtra: Ray is not installed.
        ConfigError: There is no such cluster.
    """
    require_ray()
    if address is not None and address != "auto":
        _check_reachable(address)
    return Connection(address)


def require_ray() -> None:
    """Raise MissingExtra if Ray is not installed."""
    if find_spec("ray") is None:
        raise MissingExtra("ray", "ray")


def _begin(address: str | None) -> None:
    import ray
    from ray.exceptions import RayError

    host = _LOOPBACK
    if address is None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    else:
        host = address.rpartition(":")[0]
    try:
        ray.init(
            address=address or "local",
            # A cluster on this machine's loopback is not found from any other of its addresses.
            _node_ip_address=host if host.startswith("127.") else None,
            object_store_memory=None if address else _OBJECT_STORE_BYTES,
            include_dashboard=False,
            # Standard output is the command's, and replicas have nothing to say there.
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (RayError, RuntimeError, ValueError, OSError) as error:
        why = " ".join(str(error).split())[:300]
        where = "a Ray cluster cannot be started here" if address is None else f"no Ray cluster at {address!r}"
        raise ConfigError(f"engine.address: {where} ({why})") from error


def _check_reachable(address: str) -> None:
    """Raise ConfigError unless something listens at HOST:PORT: Ray itself would try for a minute."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise ConfigError(f'engine.address: expected "auto" or HOST:PORT of the cluster\'s head, got {address!r}')
    try:
        socket.create_connection((host, int(port)), timeout=_REACH_S).close()
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"engine.address: nothing answers at {address} ({error}); is the cluster's head up?"
        ) from error


def _nodes() -> list[tuple[float, float]]:
    """CPUs and GPUs of every node that is alive."""
    import ray

    alive = (node["Resources"] for node in ray.nodes() if node["Alive"])  # type: ignore[no-untyped-call]
    return [(resources.get("CPU", 0.0), resources.get("GPU", 0.0)) for resources in alive]


def _nodes_in_words(nodes: Sequence[tuple[float, float]]) -> str:
    kinds = {node: nodes.count(node) for node in nodes}
    return ", ".join(
        f"{count} node{'s' * (count > 1)} with {_resources(*node)}" for node, count in sorted(kinds.items())
    )


def _resources(n_cpus: float, n_gpus: float) -> str:
    gpus = f" and {n_gpus:g} GPU{'s' * (n_gpus != 1)}" if n_gpus else ""
    return f"{n_cpus:g} CPU{'s' * (n_cpus != 1)}{gpus}"
