"""Leases over HTTP: a device asks with its key alone, for its tokens are in a locked file."""

from __future__ import annotations

from typing import Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from desk.domain.ids import is_id
from desk.hub import devices, leases
from desk.hub.errors import HubProblem
from desk.hub.gate import Hub, arrival
from desk.protocol.leases import AskLease, Leased, Wiped

_Http = Request[Any, Any, Any]


@post("/v1/lease", opt={"public": True}, status_code=200, sync_to_thread=True)
def lease(
    hub: NamedDependency[Hub],
    request: _Http,
    signed: NamedDependency[devices.Request],
    data: JSONBody[AskLease],
) -> Leased:
    """A lease for the device that signs the request."""
    if not is_id(data.device):
        raise HubProblem(400, "bad_request")
    now = hub.clock()
    devices.prove_known(hub.database, signed, data.device, now)
    came = arrival(hub, request)
    return leases.ask(hub.database, data, came, now)


@post("/v1/wiped", opt={"public": True}, status_code=204, sync_to_thread=True)
def wiped(hub: NamedDependency[Hub], data: JSONBody[Wiped]) -> None:
    """A device has removed everything; it signed that before its key was gone, too."""
    if not is_id(data.device) or (data.order and not is_id(data.order)):
        raise HubProblem(400, "bad_request")
    leases.acknowledge(hub.database, data, hub.clock(), hub.random_bytes)


ROUTES = [lease, wiped]
