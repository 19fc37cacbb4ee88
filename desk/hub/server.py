"""Running a hub: one process of the server, on an address and a port."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

import uvicorn
from litestar import Litestar

from desk.hub import logs
from desk.hub.accounts import is_loopback
from desk.hub.app import create_app
from desk.hub.database import Database
from desk.hub.errors import SetupError
from desk.hub.setup import bring_up

#: How long requests that are under way may still take when the server ends, s.
_GRACE = 5


class Serving:
    """A hub that listens. ``stop`` ends it; it may be called from any thread."""

    def __init__(self, server: _Server, host: str, port: int, scheme: str = "http") -> None:
        """``server`` is bound to ``host`` and ``port``."""
        self._scheme = scheme
        self._server = server
        self.host = host
        self.port = port

    @property
    def url(self) -> str:
        """Where desks reach it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self._scheme}://{host}:{self.port}"

    def stop(self) -> None:
        """Answer what was asked, end the live streams, and return from `serve`."""
        self._server.end()


def serve(
    db_url: str,
    host: str = "127.0.0.1",
    port: int = 8765,
    *,
    tls_cert: str | None = None,
    tls_key: str | None = None,
    behind_proxy: bool = False,
    on_ready: Callable[[Serving], None] | None = None,
) -> None:
    """Serve the hub at ``db_url`` until a signal (in the main thread) or ``Serving.stop``.

    ``tls_cert`` and ``tls_key`` are PEM files. Without them the hub listens on loopback only,
    unless it is ``behind_proxy``: then a proxy speaks TLS for it and says so of each request. Port
    0 takes a free one; ``on_ready`` is called once requests are answered. Prints nothing;
    logs to the standard error stream. Raises `SetupError` (``tls_needed``, ``tls_files``,
    ``unsupported_url`` and those of ``setup.bring_up``) and `OSError` where the address is taken.
    """
    logs.to_stream()
    tls = _tls(host, tls_cert, tls_key, behind_proxy=behind_proxy)
    with Database(db_url) as database:
        bring_up(database)
        app = create_app(database, bind_host=host, behind_proxy=behind_proxy)
        with _listen(host, port) as listening:
            _Server(app, listening, host, on_ready, tls).run(sockets=[listening])


def _tls(
    host: str, cert: str | None, key: str | None, *, behind_proxy: bool
) -> tuple[str, str] | None:
    """The files of the certificate, if there is one. Raises `SetupError`."""
    if cert is None or key is None:
        if cert is not None or key is not None:
            raise SetupError("tls_files")
        if not behind_proxy and not is_loopback(host):
            raise SetupError("tls_needed", {"host": host})
        return None
    try:
        # A key with a passphrase would make the server ask for it on a terminal that it may lack.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except (OSError, ValueError) as error:
        raise SetupError("tls_files") from error
    return cert, key


class _Server(uvicorn.Server):
    def __init__(
        self,
        app: Litestar,
        listening: socket.socket,
        host: str,
        on_ready: Callable[[Serving], None] | None,
        tls: tuple[str, str] | None,
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
                ssl_certfile=tls[0] if tls else None,
                ssl_keyfile=tls[1] if tls else None,
            )
        )
        self._hints = app.state.hints
        scheme = "https" if tls else "http"
        self._serving = Serving(self, host, listening.getsockname()[1], scheme)
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
