"""Proof that a request comes from the device it names: an Ed25519 signature, made for it alone.

It stands in the header ``x-desk-proof`` as ``AT.NONCE.SIGNATURE``: the hub's time in milliseconds
as the device knows it, 16 random bytes and the 64 of the signature, both in base64url. Signed are
hub, device, method, path, the SHA-256 of the body, time and nonce, each with its length before it,
so that a proof says nothing of any other request; and the hub takes each nonce once.
"""

from __future__ import annotations

import base64
import binascii
import re

import msgspec

PROOF_HEADER = "x-desk-proof"
#: By how much the time of a proof may differ from the hub's, ms.
PROOF_WINDOW = 5 * 60_000
NONCE_BYTES = 16
_SIGNATURE_BYTES = 64
_FORM = re.compile(r"(\d{1,16})\.([\w-]{22})\.([\w-]{86})", re.ASCII)


class Proof(msgspec.Struct, frozen=True):
    """A signature with the time and the nonce it was made with."""

    at: int
    nonce: bytes
    signature: bytes


class Statement(msgspec.Struct, frozen=True):
    """What a proof is of: one request of one device to one hub."""

    hub: str
    device: str
    method: str
    #: Without the hub's address, and with the query where there is one.
    path: str
    #: SHA-256.
    body_hash: bytes

    def signed(self, at: int, nonce: bytes) -> bytes:
        """The bytes that are signed."""
        parts = [
            b"desk-proof-1",
            self.hub.encode(),
            self.device.encode(),
            self.method.encode(),
            self.path.encode(),
            self.body_hash,
            str(at).encode(),
            nonce,
        ]
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def write(proof: Proof) -> str:
    """The proof as the header holds it."""
    return f"{proof.at}.{_text(proof.nonce)}.{_text(proof.signature)}"


def read(header: str) -> Proof | None:
    """The proof of a header; None where it is none."""
    found = _FORM.fullmatch(header)
    if found is None:
        return None
    try:
        nonce, signature = (base64.urlsafe_b64decode(f"{part}==") for part in found.groups()[1:])
    except binascii.Error:
        return None
    sound = len(nonce) == NONCE_BYTES and len(signature) == _SIGNATURE_BYTES
    return Proof(int(found[1]), nonce, signature) if sound else None


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
