"""Commands run as a person would, in this process, against a real hub in another."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from desk.cli import main

PASSPHRASE = "correct horse"
PASSWORD = "demo"


@dataclass
class Ran:
    """What a command has left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Person:
    """Somebody at the command line with a profile of his own."""

    def __init__(self, folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.name = name
        self.profile = folder / name
        self.password_file = folder / "password"
        self.password_file.write_text(f"{PASSWORD}\n", encoding="utf-8")
        self._capsys = capsys

    def run(self, *words: str) -> Ran:
        """`desk --profile … words`."""
        self._capsys.readouterr()
        code = main(["--profile", str(self.profile), *words])
        captured = self._capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    def ok(self, *words: str) -> Ran:
        """The same where it must succeed."""
        ran = self.run(*words)
        assert ran.code == 0, ran.err
        return ran

    def login(self, url: str) -> None:
        """Sign in and fetch the cards."""
        self.ok(
            *("login", "--hub", url, "--user", self.name),
            *("--password-file", str(self.password_file)),
        )
        self.ok("sync")
