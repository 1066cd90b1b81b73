"""Work on a Ray cluster: keep some actors alive, give each as much as it takes, ask again what a lost one held.

What the work is, engines and graders say: `Service` is what an actor holds. Ray is imported when a cluster is needed.
"""

from dartune.cluster.actors import launcher
from dartune.cluster.connection import Connection, Demand, connect, require_ray
from dartune.cluster.fleet import PATIENT, REPLICA_DIED, Fleet, FleetStats, Patience
from dartune.cluster.host import Service

__all__ = [
    "PATIENT",
    "REPLICA_DIED",
    "Connection",
    "Demand",
    "Fleet",
    "FleetStats",
    "Patience",
    "Service",
    "connect",
    "launcher",
    "require_ray",
]
