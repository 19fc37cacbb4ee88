"""What the figures were measured on, without names of hosts, people or places."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sqlite3

_PACKAGES = ("textual", "SQLAlchemy", "sqlcipher3", "litestar")


def describe() -> str:
    """One line on the machine and the versions."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"{platform.python_implementation()} {platform.python_version()}, {versions}, "
        f"SQLite {sqlite3.sqlite_version}"
    )


def load() -> str:
    """How busy the machine is with other things; empty where the system does not say."""
    if not hasattr(os, "getloadavg"):
        return ""
    return f"load average {os.getloadavg()[0]:.1f}"
