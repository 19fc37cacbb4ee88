"""Keys of devices under test, and what they sign."""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from desk.protocol import proofs
from desk.protocol.messages import PROTOCOL, PROTOCOL_HEADER, SignIn
from desk.protocol.proofs import PROOF_HEADER, Proof, Statement

_NONCES = itertools.count(1)


def key_of(device: str) -> Ed25519PrivateKey:
    """The key of a device, which follows from its id."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(device.encode()).digest())


def public_key(device: str) -> bytes:
    """The half of it that the hub is told."""
    return key_of(device).public_key().public_bytes_raw()


def proof(
    hub_id: str,
    device: str,
    path: str,
    body: bytes,
    now: int,
    *,
    key: Ed25519PrivateKey | None = None,
    nonce: bytes | None = None,
    method: str = "POST",
) -> str:
    """The header of a signed request, each with a nonce of its own."""
    drawn = nonce or next(_NONCES).to_bytes(16, "big")
    statement = Statement(hub_id, device, method, path, hashlib.sha256(body).digest())
    signature = (key or key_of(device)).sign(statement.signed(now, drawn))
    return proofs.write(Proof(now, drawn, signature))


def signed(hub_id: str, device: str, path: str, body: bytes, now: int) -> dict[str, str]:
    """Headers of a signed request."""
    return {
        PROTOCOL_HEADER: str(PROTOCOL),
        "content-type": "application/json",
        PROOF_HEADER: proof(hub_id, device, path, body, now),
    }


def sign_in(client: Any, user: str, password: str, device: str, **more: Any) -> Any:
    """Sign in at the hub that an HTTP client speaks with, as a desk does; the hub's answer."""
    hello = client.get("/v1/handshake").json()
    asked = SignIn(
        **{
            "user": user,
            "password": password,
            "device": device,
            "device_name": "a test",
            "protocol": PROTOCOL,
            "key": public_key(device),
            **more,
        }
    )
    body = msgspec.json.encode(asked)
    headers = signed(hello["hub"], device, "/v1/sign-in", body, hello["now"])
    return client.post("/v1/sign-in", content=body, headers=headers)
