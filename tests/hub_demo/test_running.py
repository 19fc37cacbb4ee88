"""The demo's hub as a process: it answers first, is joined, kept, and ends with its last desk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desk.cli import main
from desk.hub.demo import running
from desk.hub.demo.build import Parameters, build, database_url, made_of
from desk.resources import playbooks_dir
from desk.services.desk import Desk

SOURCE = (playbooks_dir() / "freight.toml").read_text(encoding="utf-8")
LEADS = 40
PATIENCE = 60.0

_HOLD = """
import sys
from pathlib import Path
from desk.hub.demo.running import claim
user, lock = claim(Path(sys.argv[1]), ["sales1", "sales2"])
print(user, flush=True)
sys.stdin.read()
"""


def make(folder: Path) -> None:
    """A small demo in the folder."""
    build(
        folder,
        Parameters(leads=LEADS),
        SOURCE,
        1_795_091_400_000,
        on_progress=lambda _done, _total: None,
    )


def wait_for(condition: Callable[[], bool]) -> None:
    """Until something another process does has happened."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`desk demo --serve-only` and the address it has printed."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "desk", "--lang", "en", "demo", "--serve-only"),
            *("--dir", str(tmp_path), "--leads", str(LEADS)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def test_only_served_it_says_ready_and_every_account_works(
    served: tuple[subprocess.Popen[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    process, ready = served
    word, url = ready.split(" ")
    assert word == "ready"
    assert url.startswith("http://127.0.0.1:")
    secret = tmp_path / "secret"
    secret.write_text("demo\n", encoding="utf-8")
    monkeypatch.setenv("DESK_PASSPHRASE_FILE", str(secret))
    profile = str(tmp_path / "head")
    login = ["login", "--hub", url, "--user", "head", "--password-file", str(secret)]
    assert main(["--profile", profile, *login]) == 0
    assert main(["--profile", profile, "sync"]) == 0
    capsys.readouterr()
    assert main(["--profile", profile, "count", "--kind", "lead", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == LEADS

    assert main(["demo", "--serve-only", "--dir", str(tmp_path)]) == 3
    assert url in capsys.readouterr().err

    process.terminate()
    assert process.wait(PATIENCE) == (0 if os.name != "nt" else 1)


def test_the_hub_ends_with_its_last_desk_even_when_that_is_killed(tmp_path: Path) -> None:
    make(tmp_path)
    desk = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert desk.stdout
    assert desk.stdout.readline() == "sales1\n"
    arguments = ["demo", "--serve-only", "--attached", "--dir", str(tmp_path), "--port", "0"]
    with running.starting(tmp_path):
        hub = running.spawn(tmp_path, arguments)
    assert running.find(tmp_path) == hub
    assert running.desks_at_work(tmp_path)

    desk.kill()
    desk.communicate()
    wait_for(lambda: running.find(tmp_path) is None)


def test_a_second_desk_of_the_role_gets_the_next_user_until_none_is_free(tmp_path: Path) -> None:
    first = running.claim(tmp_path, ["sales1", "sales2"])
    second = running.claim(tmp_path, ["sales1", "sales2"])
    assert first
    assert second
    assert [first[0], second[0]] == ["sales1", "sales2"]
    assert running.claim(tmp_path, ["sales1", "sales2"]) is None
    first[1].release()
    again = running.claim(tmp_path, ["sales1", "sales2"])
    assert again
    assert again[0] == "sales1"


def test_what_was_interrupted_while_being_made_is_not_taken_for_a_demo(tmp_path: Path) -> None:
    def pull_the_plug(done: int, _total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path, Parameters(leads=LEADS), SOURCE, 1_795_091_400_000, pull_the_plug)
    assert Path(database_url(tmp_path).removeprefix("sqlite:///")).exists()
    assert made_of(tmp_path) is None


def test_a_demo_is_known_by_what_it_was_made_of(tmp_path: Path) -> None:
    make(tmp_path)
    assert made_of(tmp_path) == Parameters(leads=LEADS)


class Opened:
    """What the application was opened with, in place of opening it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[Path, dict[str, Any]]] = []
        monkeypatch.setattr("desk.app.run", self)
        monkeypatch.setattr("desk.services.vault.COST", (64, 1, 1))

    def __call__(self, profile: Path, **how: Any) -> int:
        self.calls.append((profile, how))
        with Desk.open(profile, how["passphrase"]) as desk:
            if not desk.signed_in:
                desk.sign_in(*how["sign_in"])
            desk.sync_once()
        return 0


def test_a_demo_is_made_kept_and_made_anew_when_asked_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = Opened(monkeypatch)
    demo = ["--lang", "en", "--profile", str(tmp_path / "mine"), "demo", "--dir", str(tmp_path)]

    def leads() -> int:
        assert main([*demo[:4], "count", "--kind", "lead", "--json"]) == 0
        return int(capsys.readouterr().out)

    assert main([*demo, "--leads", str(LEADS)]) == 0
    profile, how = opened.calls[0]
    assert profile == tmp_path / "mine"
    assert how["passphrase"] == "demo"
    assert how["sign_in"][1:] == ("marketer1", "demo")
    said = capsys.readouterr().out
    assert "sales1, sales2, sales3, sales4" in said
    assert "You work as marketer1." in said
    assert leads() == LEADS

    assert main([*demo, "--leads", "50"]) == 0
    assert "Joining the demo" in capsys.readouterr().err
    assert leads() == LEADS

    wait_for(lambda: running.find(tmp_path) is None)
    made = (tmp_path / "demo.json").stat().st_mtime_ns
    assert main(demo) == 0
    capsys.readouterr()
    assert (tmp_path / "demo.json").stat().st_mtime_ns == made

    wait_for(lambda: running.find(tmp_path) is None)
    assert main([*demo, "--leads", "50"]) == 0
    capsys.readouterr()
    assert leads() == 50
    wait_for(lambda: running.find(tmp_path) is None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--role", "pilot"], "There is no role “pilot” here. Choose one of: marketer"),
        (["--case", "moon"], "There is no demo of the case “moon”. Choose one of: freight."),
        (["--leads", "0"], "a number above 0 is needed"),
        (["--port", "70000"], "a port is a number from 0 to 65535"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    words: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--lang", "en", "demo", "--dir", str(tmp_path), *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_a_taken_port_is_said_in_one_line(
    served: tuple[subprocess.Popen[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = served[1].rpartition(":")[2]
    other = tmp_path / "other"
    make(other)
    assert main(["--lang", "en", "demo", "--serve-only", "--dir", str(other), "--port", port]) == 5
    assert f"The port {port} of 127.0.0.1 is in use" in capsys.readouterr().err
