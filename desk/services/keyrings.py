"""The operating system's keyring, where there is one that can be trusted with a key.

Only backends known to keep secrets encrypted are used, each instantiated by its class: what the
environment or a configuration file chooses may be plain text, or may keep nothing at all.
"""

from __future__ import annotations

import importlib
import sys
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_SERVICE = "desk-vault"
_BACKENDS: dict[str, tuple[tuple[str, str], ...]] = {
    "linux": (
        ("keyring.backends.SecretService", "Keyring"),
        ("keyring.backends.kwallet", "DBusKeyring"),
    ),
    "darwin": (("keyring.backends.macOS", "Keyring"),),
    "win32": (("keyring.backends.Windows", "WinVaultKeyring"),),
}


class KeyringProblem(Exception):
    """The keyring is there but will not answer: it is closed, or the person said no."""


class Keyring(Protocol):
    """Where keys are kept by name."""

    def get(self, name: str) -> bytes | None:
        """The key of that name. Raises ``KeyringProblem``."""
        ...

    def put(self, name: str, key: bytes) -> None:
        """Keep a key. Raises ``KeyringProblem``."""
        ...

    def drop(self, name: str) -> None:
        """Forget the key of that name, if there is one. Raises ``KeyringProblem``."""
        ...


class SystemKeyring:
    """A keyring of the operating system."""

    def __init__(self, backend: KeyringBackend) -> None:
        self._backend = backend

    @property
    def name(self) -> str:
        """Which keyring it is."""
        return type(self._backend).__module__.rpartition(".")[2]

    def get(self, name: str) -> bytes | None:
        """The key of that name."""
        try:
            kept = self._backend.get_password(_SERVICE, name)
            return b64decode(kept, validate=True) if kept else None
        except Exception:  # noqa: BLE001 - a backend raises whatever its system's bus raises
            raise KeyringProblem from None

    def put(self, name: str, key: bytes) -> None:
        """Keep a key, and read it back: some keyrings discard silently."""
        try:
            self._backend.set_password(_SERVICE, name, b64encode(key).decode())  # pyright: ignore[reportUnknownMemberType]
        except Exception:  # noqa: BLE001 - a backend raises whatever its system's bus raises
            raise KeyringProblem from None
        if self.get(name) != key:
            raise KeyringProblem

    def drop(self, name: str) -> None:
        """Forget a key, and look that it is gone."""
        try:
            if self._backend.get_password(_SERVICE, name) is None:
                return
            self._backend.delete_password(_SERVICE, name)
        except Exception:  # noqa: BLE001 - a backend raises whatever its system's bus raises
            raise KeyringProblem from None
        if self.get(name) is not None:
            raise KeyringProblem


def system_keyring() -> Keyring | None:
    """This machine's keyring, or nothing where it has none that can be trusted."""
    platform = "linux" if sys.platform.startswith(("linux", "freebsd")) else sys.platform
    for module, name in _BACKENDS.get(platform, ()):
        try:
            backend_class: type[KeyringBackend] = getattr(importlib.import_module(module), name)
            if backend_class.viable:
                return SystemKeyring(backend_class())
        except Exception:  # noqa: BLE001, S112 - it is not to be used then, whatever the reason
            continue
    return None
