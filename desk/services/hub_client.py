"""Speaking with the hub: requests in, messages out, and every failure as a ``DeskError``.

Nothing here knows of rows or queues. No request carries personal data in its URL.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from desk.protocol.leases import AskLease, Leased, Wiped
from desk.protocol.messages import (
    PROTOCOL,
    PROTOCOL_HEADER,
    Compare,
    Compared,
    Handshake,
    NewDevice,
    Page,
    PlaybookSource,
    Presence,
    Problem,
    Push,
    Pushed,
    Refresh,
    Refreshed,
    Registered,
    SecondFactor,
    SignedIn,
    SignIn,
)
from desk.protocol.personal import ErasedHere
from desk.protocol.proofs import PROOF_HEADER
from desk.protocol.sessions import EndSession, NewPassword, SessionInfo, Sessions
from desk.services.errors import (
    BadHubAddress,
    ClonedProfile,
    CodeNeeded,
    DeskError,
    HasSecondFactor,
    HubProblem,
    HubUnreachable,
    InsecureHub,
    NoSuchSession,
    NotAHub,
    NotSignedIn,
    OfflineByChoice,
    SecondFactorNeeded,
    TakenProfile,
    TooManyAttempts,
    TooOften,
    UntrustedHub,
    WeakPassword,
    WrongCode,
    WrongPassword,
    WrongProtocol,
)

if TYPE_CHECKING:
    from desk.services.access import Access
    from desk.services.device_key import Prover

M = TypeVar("M", bound=msgspec.Struct)

_CONNECT_SECONDS = 5.0
#: How long an answer is waited for, s.
ANSWER_SECONDS = 30.0
#: The hub says something at least every 20 s; silence longer than this is a dead connection.
WATCHDOG_SECONDS = 45.0
#: What a hub may ask to wait at most; a number out of this world must not silence a desk.
_LONGEST_WAIT_SECONDS = 900.0
_PRODUCT = "desk"
#: What the text of an error says when the certificate was the matter.
_DISTRUST = "CERTIFICATE_VERIFY_FAILED"
#: Refusals that need no more words than they have.
_PLAIN: dict[str, type[DeskError]] = {
    "wrong_password": WrongPassword,
    "too_often": TooOften,
    "totp_needed": SecondFactorNeeded,
    "totp_set_up": HasSecondFactor,
    "no_such_session": NoSuchSession,
    "number_used": ClonedProfile,
    "device_of_another": TakenProfile,
    "other_key": TakenProfile,
}
_JSON = {"content-type": "application/json"}


class Gap(DeskError):
    """The hub waits for an earlier operation, number ``expected``."""

    code = "gap"

    def __init__(self, expected: int) -> None:
        super().__init__()
        self.expected = expected


class ProofStale(DeskError):
    """The hub wants the request signed anew; its clock shows ``now``."""

    code = "proof_stale"

    def __init__(self, now: int) -> None:
        super().__init__()
        self.now = now


class HubClient:
    """One hub's address with a session's token. Safe to use from several threads.

    With an ``Access`` for a token, a request that the hub refuses for its token is sent once more
    with the next one. Every request raises ``OfflineByChoice`` while ``allowed`` says no;
    ``heard`` is told of each message from the hub.
    """

    def __init__(
        self,
        hub: str,
        token: str | Access = "",
        transport: httpx.BaseTransport | None = None,
        allowed: Callable[[], bool] = lambda: True,
        heard: Callable[[msgspec.Struct], None] = lambda _message: None,
        patience: float = ANSWER_SECONDS,
        authority: str = "",
    ) -> None:
        self._allowed = allowed
        self._heard = heard
        self.hub = normal_address(hub)
        self._access = token
        # trust_env off: a proxy from the environment must not see the token of a loopback hub.
        self._http = httpx.Client(
            base_url=self.hub,
            headers={PROTOCOL_HEADER: str(PROTOCOL)},
            timeout=httpx.Timeout(patience, connect=min(patience, _CONNECT_SECONDS)),
            transport=transport,
            # Certificates take 50 ms to load, and without TLS nothing is checked.
            verify=_trust(authority) if self.hub.startswith("https://") else False,
            trust_env=not is_loopback(self.hub),
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def handshake(self) -> Handshake:
        """Who answers there. Raises ``NotAHub``, ``WrongProtocol``, ``HubUnreachable``."""
        response = self._ask("GET", "/v1/handshake", "")
        if response.status_code != HTTPStatus.OK:
            self._raise_unless_done(response, missing=NotAHub(hub=self.hub))
        try:
            answer = msgspec.json.decode(response.content, type=Handshake)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise NotAHub(hub=self.hub) from None
        if answer.product != _PRODUCT:
            raise NotAHub(hub=self.hub)
        if not answer.protocol_min <= PROTOCOL <= answer.protocol_max:
            low, high = str(answer.protocol_min), str(answer.protocol_max)
            raise WrongProtocol(hub=self.hub, low=low, high=high)
        self._heard(answer)
        return answer

    def sign_in(self, message: SignIn, prover: Prover) -> SignedIn:
        """A session for a user's password. Raises ``WrongPassword``, ``TooManyAttempts``."""
        return self._signed("/v1/sign-in", message, SignedIn, prover, public=True)

    def second_factor(self, message: SignIn, prover: Prover) -> SecondFactor:
        """A secret for an authenticator. Raises as ``sign_in``, and ``HasSecondFactor``."""
        return self._signed("/v1/second-factor", message, SecondFactor, prover, public=True)

    def refresh(self, message: Refresh, prover: Prover) -> Refreshed:
        """The session's next tokens. Raises ``NotSignedIn`` where it is over."""
        return self._signed("/v1/refresh", message, Refreshed, prover, public=True)

    def sign_out(self) -> None:
        """Let the hub end the session."""
        self._raise_unless_done(self._send("POST", "/v1/sign-out"))

    def sessions(self) -> list[SessionInfo]:
        """One's own sessions."""
        return self._get("/v1/sessions", {}, Sessions).sessions

    def end_session(self, message: EndSession) -> None:
        """End one of one's own sessions. Raises ``NoSuchSession``."""
        self._raise_unless_done(self._post("/v1/sessions/end", message))

    def change_password(self, message: NewPassword) -> None:
        """Take another password. Raises ``WrongPassword``, ``WeakPassword``."""
        self._raise_unless_done(self._post("/v1/password", message))

    def playbook(self) -> PlaybookSource:
        """The company's playbook in force."""
        return self._get("/v1/playbook", {}, PlaybookSource)

    def push(self, message: Push) -> Pushed:
        """Send operations. Raises ``Gap``, ``ClonedProfile``."""
        return self._decode(self._post("/v1/operations", message), Pushed)

    def changes(self, cursor: str, limit: int) -> Page:
        """What changed since ``cursor``."""
        return self._get("/v1/changes", {"cursor": cursor, "limit": str(limit)}, Page)

    def snapshot(self, after: str, limit: int, until: str = "") -> Page:
        """What the reader may see, the newest first, below ``after`` and not below ``until``."""
        query = {"after": after, "limit": str(limit)}
        return self._get("/v1/snapshot", {**query, "until": until} if until else query, Page)

    def digests(self, message: Compare) -> Compared:
        """The digests of ranges, as many as were asked for."""
        answer = self._decode(self._post("/v1/digests", message), Compared)
        if not answer.moved and len(answer.digests) != len(message.ranges):
            raise HubUnreachable(hub=self.hub)
        return answer

    def new_device(self, message: NewDevice, prover: Prover) -> Registered:
        """Become a device of one's own; the one that was copied signs. Raises ``TakenProfile``."""
        return self._signed("/v1/device", message, Registered, prover)

    def lease(self, message: AskLease, prover: Prover) -> Leased:
        """The right to work without the hub. Raises ``NotSignedIn`` for a device it knows not."""
        return self._signed("/v1/lease", message, Leased, prover, public=True)

    def wiped(self, message: Wiped) -> None:
        """Say that everything here is gone."""
        body = msgspec.json.encode(message)
        self._raise_unless_done(self._ask("POST", "/v1/wiped", "", content=body, headers=_JSON))

    def head_start(self, limit: int) -> Page:
        """The most urgent and the newest of what the reader may see, with their families."""
        return self._get("/v1/snapshot", {"order": "urgent", "limit": str(limit)}, Page)

    def presence(self, message: Presence) -> None:
        """Say whether one is at work."""
        self._raise_unless_done(self._post("/v1/presence", message))

    def erased(self, message: ErasedHere) -> None:
        """Say whose data is gone from here."""
        self._raise_unless_done(self._post("/v1/pd/erased", message))

    def ask(self, path: str, message: msgspec.Struct, answer: type[M]) -> M:
        """The answer to a question of its own kind, as the officer's are."""
        return self._decode(self._post(path, message), answer)

    def look(self, path: str, answer: type[M]) -> M:
        """What stands at an address; nothing of it may be personal."""
        return self._get(path, {}, answer)

    @contextmanager
    def hints(self) -> Generator[httpx.Response]:
        """The open stream of hints; reading it fails after ``WATCHDOG_SECONDS`` of silence."""
        token = self._token()
        try:
            with self._stream(token) as response:
                refused = self._is_refused(response)
                if not refused:
                    self._raise_unless_done(response)
                    yield response
            if refused:
                with self._stream(self._renewed(token)) as response:
                    self._raise_unless_done(response)
                    yield response
        except httpx.HTTPError:
            raise HubUnreachable(hub=self.hub) from None

    @contextmanager
    def _stream(self, token: str) -> Generator[httpx.Response]:
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=_CONNECT_SECONDS, read=WATCHDOG_SECONDS)
        headers = _bearing(token)
        with self._http.stream("GET", "/v1/hints", timeout=timeout, headers=headers) as response:
            if not response.is_success:
                response.read()
            yield response

    def _get(self, path: str, query: dict[str, str], answer: type[M]) -> M:
        return self._decode(self._send("GET", path, params=query), answer)

    def _post(self, path: str, message: msgspec.Struct) -> httpx.Response:
        return self._send("POST", path, content=msgspec.json.encode(message), headers=_JSON)

    def _signed(
        self,
        path: str,
        message: msgspec.Struct,
        answer: type[M],
        prover: Prover,
        *,
        public: bool = False,
    ) -> M:
        """Post a message with a proof; once more where the hub's clock was not known."""
        body = msgspec.json.encode(message)

        def ask() -> M:
            headers = {**_JSON, PROOF_HEADER: prover.header("POST", path, body)}
            if public:
                response = self._ask("POST", path, "", content=body, headers=headers)
            else:
                response = self._send("POST", path, content=body, headers=headers)
            return self._decode(response, answer)

        try:
            return ask()
        except ProofStale as stale:
            prover.learn(stale.now)
        try:
            return ask()
        except ProofStale:
            raise HubUnreachable(hub=self.hub) from None

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask with the session's token, or with the next one where that has ended."""
        token = self._token()
        response = self._ask(method, path, token, **options)
        if self._is_refused(response):
            response = self._ask(method, path, self._renewed(token), **options)
        return response

    def _ask(self, method: str, path: str, token: str, **options: Any) -> httpx.Response:
        if not self._allowed():
            raise OfflineByChoice
        headers = {**options.pop("headers", {}), **_bearing(token)}
        try:
            return self._http.request(method, path, headers=headers, **options)
        except (httpx.HTTPError, httpx.StreamError) as error:
            if _DISTRUST in str(error):
                raise UntrustedHub(hub=self.hub) from None
            # Without its cause: an error of the transport may quote what was sent.
            raise HubUnreachable(hub=self.hub) from None

    def _token(self) -> str:
        if isinstance(self._access, str):
            return self._access
        if not self._allowed():
            raise OfflineByChoice
        return self._access.token()

    def _is_refused(self, response: httpx.Response) -> bool:
        """Whether another token may be let in where this one was not."""
        return (
            not isinstance(self._access, str)
            and response.status_code == HTTPStatus.UNAUTHORIZED
            and _problem(response).code == NotSignedIn.code
        )

    def _renewed(self, refused: str) -> str:
        assert not isinstance(self._access, str)
        return self._access.renewed(refused)

    def _decode(self, response: httpx.Response, answer: type[M]) -> M:
        self._raise_unless_done(response)
        try:
            message = msgspec.json.decode(response.content, type=answer)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            # Cut off or garbled on its way: asked for again later.
            raise HubUnreachable(hub=self.hub) from None
        self._heard(message)
        return message

    def _raise_unless_done(
        self, response: httpx.Response, missing: DeskError | None = None
    ) -> None:
        if response.is_success:
            return
        problem = _problem(response)
        wait = _retry_after(response)
        status = response.status_code
        raise (
            self._known(problem, wait)
            or (HubUnreachable(hub=self.hub, wait=wait) if _passes(status) else None)
            or (NotSignedIn() if status == HTTPStatus.UNAUTHORIZED else None)
            or missing
            or HubProblem(hub=self.hub, reason=problem.code or str(status))
        )

    def _known(self, problem: Problem, wait: float) -> DeskError | None:
        plain = _PLAIN.get(problem.code)
        if plain is not None:
            return plain()
        match problem.code:
            case "wrong_protocol":
                return WrongProtocol(hub=self.hub)
            case "code_needed":
                return CodeNeeded(
                    enrolment="enrolment" in problem.args, totp="totp" in problem.args
                )
            case "wrong_code":
                return WrongCode(which=problem.args.get("which", ""))
            case "weak_password":
                return WeakPassword(problem.args.get("why", ""))
            case "throttled":
                return TooManyAttempts(seconds=problem.args.get("seconds") or str(round(wait)))
            case "proof_stale" if problem.args.get("now", "").isdigit():
                return ProofStale(int(problem.args["now"]))
            case "gap" if problem.args.get("expected", "").isdigit():
                return Gap(int(problem.args["expected"]))
            case _:
                return None


def normal_address(hub: str) -> str:
    """The address as it is kept, without a path's last slash.

    Raises ``BadHubAddress``, ``InsecureHub``.
    """
    try:
        parts = urlsplit(hub.strip())
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
        parts = urlsplit("")
    if not sound or parts.username or parts.query or parts.fragment:
        raise BadHubAddress(hub=hub)
    if parts.scheme == "http" and not is_loopback(hub):
        raise InsecureHub(hub=hub)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def is_loopback(hub: str) -> bool:
    """Whether the address is this machine's own."""
    return urlsplit(hub.strip()).hostname in ("127.0.0.1", "localhost", "::1")


def _trust(authority: str) -> ssl.SSLContext:
    """Whom to trust: the company's own authority alone where there is one (PEM), else those of
    SSL_CERT_FILE, or the public ones."""
    if authority:
        return ssl.create_default_context(cadata=authority)
    return httpx.create_ssl_context()


def _bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


def _passes(status: int) -> bool:
    """Whether the same request may succeed later."""
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _problem(response: httpx.Response) -> Problem:
    try:
        return msgspec.json.decode(response.content, type=Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError, httpx.StreamError):
        return Problem(code="")


def _retry_after(response: httpx.Response) -> float:
    try:
        return min(_LONGEST_WAIT_SECONDS, max(0.0, float(response.headers.get("retry-after", "0"))))
    except ValueError:
        return 0.0
