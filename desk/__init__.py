"""Desk: keyboard-driven kanban boards for call centers, offline-first, with an encrypted cache."""

__version__ = "0.1.0"
