"""The master key of a hub: what a key management system does, and the one kept in a file.

The master key wraps other keys and nothing else; where it comes from is `KeySource`'s to know.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from desk.hub.errors import SetupError

#: The environment: the key itself in Base64, or the file that holds it so; the one to rotate to.
KEY = "DESK_HUB_KEY"
KEY_FILE = "DESK_HUB_KEY_FILE"
NEXT_KEY = "DESK_HUB_KEY_NEXT"

KEY_SIZE = 32
_NONCE = 12
_ID = 8
#: What nobody but the owner and his group may do with a key file.
_OTHERS = 0o027


class Kms(Protocol):
    """Something that keeps a master key and wraps other keys under it."""

    @property
    def id(self) -> bytes:
        """Names the master key: 8 bytes, no secret."""
        ...

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """The key, wrapped; it is unwrapped with the same ``context`` only."""
        ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """What was wrapped. Raises `ValueError` for anything else."""
        ...


class MasterKey:
    """The one shipped `Kms`: 32 bytes, from the environment or a file."""

    def __init__(self, key: bytes) -> None:
        """``key`` is 32 random bytes."""
        if len(key) != KEY_SIZE:
            raise ValueError("a master key has 32 bytes")
        derived = HKDF(hashes.SHA256(), KEY_SIZE, None, b"desk/hub/wrap").derive(key)
        self._cipher = AESGCM(derived)
        self._id = hashlib.sha256(b"desk/hub/key-id\0" + derived).digest()[:_ID]

    @property
    def id(self) -> bytes:
        """Names the key; nothing follows from it."""
        return self._id

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Nonce and ciphertext."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """What `wrap` was given."""
        try:
            return self._cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], context)
        except InvalidTag:
            raise ValueError("not wrapped by this key") from None


class KeySource:
    """Where a hub's master key is found: in the environment, in a named file, or beside it."""

    def __init__(self, beside: Path | None, environ: Mapping[str, str] = os.environ) -> None:
        """``beside`` is the file for a hub whose environment says nothing; none: it must say."""
        self._environ = environ
        named = environ.get(KEY_FILE)
        self._is_given = bool(environ.get(KEY))
        self.file = None if self._is_given else Path(named) if named else beside
        #: Where the key to rotate to waits until everything is wrapped by it.
        self._next = self.file.with_name(f"{self.file.name}.next") if self.file else None

    def load(self) -> list[MasterKey]:
        """The key, and the one that is being rotated to, if any.

        Raises `SetupError` ``key_needed``, ``key_missing``, ``key_readable``, ``key_broken``.
        """
        if self._is_given:
            names = [name for name in (KEY, NEXT_KEY) if self._environ.get(name)]
            return [_decoded(self._environ[name], name) for name in names]
        if self.file is None:
            raise SetupError("key_needed")
        files = [self.file, self._next]
        return [_read(file) for file in files if file and (file == self.file or file.exists())]

    def make(self) -> None:
        """Make the key file unless there is a key. Raises `SetupError` as `load`."""
        if not self._is_given and self.file is not None and not self.file.exists():
            _write(self.file)

    def start_rotation(self) -> MasterKey:
        """The key to rotate to; made where it is kept in a file. Raises `SetupError`
        ``key_next_needed``, and as `load`."""
        if self._is_given:
            text = self._environ.get(NEXT_KEY)
            if not text:
                raise SetupError("key_next_needed")
            return _decoded(text, NEXT_KEY)
        if self._next is None:
            raise SetupError("key_needed")
        if not self._next.exists():
            _write(self._next)
        return _read(self._next)

    def end_rotation(self) -> None:
        """Put the next key in the place of the one before."""
        if self.file is not None and self._next is not None:
            self._next.replace(self.file)
            _sync(self.file.parent)


def _read(file: Path) -> MasterKey:
    try:
        if sys.platform != "win32" and file.stat().st_mode & _OTHERS:
            raise SetupError("key_readable", {"file": str(file)})
        text = file.read_text(encoding="ascii")
    except UnicodeDecodeError:
        raise SetupError("key_broken", {"where": str(file)}) from None
    except OSError as error:
        raise SetupError("key_missing", {"file": str(file)}) from error
    return _decoded(text, str(file))


def _decoded(text: str, where: str) -> MasterKey:
    try:
        return MasterKey(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError):
        # The text is the key, or nearly: the error must not quote it.
        raise SetupError("key_broken", {"where": where}) from None


def _write(file: Path) -> None:
    """A new key, whole or not at all: a broken one would be taken for the hub's."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(base64.b64encode(os.urandom(KEY_SIZE)) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
        _sync(file.parent)
    except OSError as error:
        raise SetupError("key_missing", {"file": str(file)}) from error


def _sync(folder: Path) -> None:
    """Make a rename last; Windows has no such thing."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
