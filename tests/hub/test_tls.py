"""TLS off loopback on both sides, and what every answer tells a browser."""

from __future__ import annotations

import datetime as dt
import ipaddress
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from desk.hub.errors import SetupError
from desk.hub.server import Serving, serve
from desk.services.errors import InsecureHub, UntrustedHub
from desk.services.hub_client import HubClient, normal_address
from tests.hub.hubs import Hub, problem, running

GUARDS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of loopback that is its own authority, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "desk test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert, private


@pytest.fixture
def backend() -> str:
    """The way to the hub is the same over every database."""
    return "sqlite"


@pytest.fixture
def address(database_url: str, certificate: tuple[Path, Path]) -> Iterator[str]:
    """A hub that speaks TLS."""
    ready = threading.Event()
    serving: list[Serving] = []

    def take(one: Serving) -> None:
        serving.append(one)
        ready.set()

    cert, key = map(str, certificate)
    options = {"on_ready": take, "tls_cert": cert, "tls_key": key}
    thread = threading.Thread(target=serve, args=(database_url, "127.0.0.1", 0), kwargs=options)
    thread.start()
    try:
        assert ready.wait(30)
        yield serving[0].url
    finally:
        for one in serving:
            one.stop()
        thread.join(30)


def test_a_desk_trusts_the_companys_authority_and_no_other(
    address: str, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert address.startswith("https://")
    pem = certificate[0].read_text()
    trusting = HubClient(address, authority=pem)
    assert trusting.handshake().product == "desk"
    trusting.close()
    by_name = HubClient(address.replace("127.0.0.1", "localhost"), authority=pem)
    for stranger in (HubClient(address), by_name):
        with pytest.raises(UntrustedHub):
            stranger.handshake()
        stranger.close()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    by_environment = HubClient(address)
    assert by_environment.handshake().product == "desk"
    by_environment.close()
    plain = httpx.get(f"{address}/v1/handshake", verify=False)
    assert plain.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize("hub", ["http://desk.example.com", "http://10.0.0.1:8765", " http://x "])
def test_a_desk_sends_nothing_unencrypted_to_another_machine(hub: str) -> None:
    with pytest.raises(InsecureHub):
        normal_address(hub)
    for near in ("http://127.0.0.1:1", "http://localhost", "http://[::1]:1", "https://x"):
        assert normal_address(near) == near


def test_a_hub_listens_off_loopback_with_tls_or_behind_a_proxy_only(
    database_url: str, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    def refusal(host: str, cert: str | None = None, key: str | None = None) -> str:
        with pytest.raises(SetupError) as refused:
            serve(database_url, host, 0, tls_cert=cert, tls_key=key)
        return refused.value.code

    cert, key = map(str, certificate)
    broken = tmp_path / "broken.pem"
    broken.write_text("x")
    assert refusal("0.0.0.0") == refusal("desk.example.com") == "tls_needed"
    assert refusal("127.0.0.1", cert) == refusal("127.0.0.1", None, key) == "tls_files"
    assert refusal("127.0.0.1", cert, str(broken)) == "tls_files"
    assert refusal("127.0.0.1", str(tmp_path / "none"), key) == "tls_files"


def test_behind_a_proxy_only_what_came_to_it_by_tls_is_answered(database_url: str) -> None:
    with running(database_url, bind_host="0.0.0.0", behind_proxy=True) as hub:
        for told in ({}, {"x-forwarded-proto": "http"}, {"x-forwarded-proto": "https, http"}):
            answer = hub.client.get("/v1/handshake", headers=told)
            assert problem(answer)[:2] == (403, "tls_needed")
        answer = hub.client.get("/v1/handshake", headers={"x-forwarded-proto": "https"})
        assert answer.is_success
        assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_every_answer_tells_to_keep_guess_run_and_frame_nothing(hub: Hub) -> None:
    desk = hub.desk("head")
    answers = [
        hub.client.get("/v1/handshake"),
        desk.get("/v1/snapshot"),
        hub.client.get("/v1/snapshot"),
        hub.client.get("/v1/nothing"),
        hub.client.get("/schema"),
        hub.client.post("/v1/sign-in", content=b"{"),
        hub.client.request("DELETE", "/v1/snapshot"),
    ]
    for answer in answers:
        told = {name: answer.headers.get(name) for name in GUARDS}
        assert told == GUARDS, (answer.request.url, answer.status_code)
        assert "strict-transport-security" not in answer.headers
        assert "server" not in answer.headers
