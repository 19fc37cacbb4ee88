"""Running a hub: one process of the server, on an address and a port."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from litestar import Litestar

from desk.hub import logs
from desk.hub.app import create_app
from desk.hub.database import Database
from desk.hub.setup import bring_up

#: How long requests that are under way may still take when the server ends, s.
_GRACE = 5


class Serving:
    """A hub that listens. ``stop`` ends it; it may be called from any thread."""

    def __init__(self, server: _Server, host: str, port: int) -> None:
        """``server`` is bound to ``host`` and ``port``."""
        self._server = server
        self.host = host
        self.port = port

    @property
    def url(self) -> str:
        """Where desks reach it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def stop(self) -> None:
        """Answer what was asked, end the live streams, and return from `serve`."""
        self._server.end()


def serve(
    db_url: str,
    host: str = "127.0.0.1",
    port: int = 8765,
    *,
    on_ready: Callable[[Serving], None] | None = None,
) -> None:
    """Serve the hub at ``db_url`` until a signal (in the main thread) or ``Serving.stop``.

    Port 0 takes a free one; ``on_ready`` is called once requests are answered. Prints nothing;
    logs to the standard error stream. Raises `SetupError` (``unsupported_url`` and those of
    ``setup.bring_up``) and `OSError` where the address is taken.
    """
    logs.to_stream()
    with Database(db_url) as database:
        bring_up(database)
        app = create_app(database, bind_host=host)
        with _listen(host, port) as listening:
            _Server(app, listening, host, on_ready).run(sockets=[listening])


class _Server(uvicorn.Server):
    def __init__(
        self,
        app: Litestar,
        listening: socket.socket,
        host: str,
        on_ready: Callable[[Serving], None] | None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                access_log=False,
                log_config=None,
                lifespan="on",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_GRACE,
            )
        )
        self._hints = app.state.hints
        self._serving = Serving(self, host, listening.getsockname()[1])
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._on_ready is not None:
            self._on_ready(self._serving)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Live streams never end by themselves, and the server waits for its connections.
        self._hints.close()
        await super().shutdown(sockets)

    def end(self) -> None:
        self.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    plain = socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
    )
    # For sockets that name their protocol alone asyncio switches off Nagle's algorithm, with which
    # the second half of each answer waits 40 ms until the first is acknowledged.
    return socket.socket(plain.family, plain.type, socket.IPPROTO_TCP, fileno=plain.detach())
