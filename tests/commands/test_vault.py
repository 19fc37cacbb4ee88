"""The vault from the command line: how it stands, other keys, saving, removing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desk.domain.operations import Create
from desk.services.desk import Desk
from tests.commands.desks import PASSPHRASE, Person
from tests.hub_process import HubProcess

People = Callable[[str], Person]


@pytest.fixture
def marketer(shared_hub: HubProcess, person: People) -> Person:
    somebody = person("marketer1")
    somebody.login(shared_hub.url)
    return somebody


def unsent(somebody: Person, title: str) -> str:
    """A lead that waits to be sent."""
    with Desk.open(somebody.profile, PASSPHRASE) as desk:
        return desk.do(Create(kind="lead", title=title)).operation_id


def test_the_status_tells_what_opens_the_vault(marketer: Person) -> None:
    state = marketer.ok("vault", "status", "--json").json
    assert state.keys() == {
        *("format", "backend", "factors", "lease", "lease_until", "subjects", "epoch"),
        *("wrapping_epoch", "aside"),
    }
    assert (state["format"], state["backend"]) == (2, "key file")
    assert state["factors"] == ["passphrase", "lease"]
    assert state["lease"] == "good"
    assert state["aside"] == []
    said = marketer.ok("vault", "status").out
    assert "passphrase, the hub's share" in said


def test_another_passphrase_counts_and_the_old_one_does_not(
    marketer: Person, tmp_path: Path, passphrase_file: Path
) -> None:
    another = tmp_path / "another"
    another.write_text("a wholly new one\n")
    marketer.ok("vault", "rotate", "--new-passphrase-file", str(another))
    assert marketer.run("status").code == 4
    passphrase_file.write_text("a wholly new one\n")
    assert marketer.ok("status", "--json").json["user"] == "marketer1"
    epoch = marketer.ok("vault", "status", "--json").json["wrapping_epoch"]
    renewed = marketer.ok("vault", "rotate", "--json").json
    assert renewed["wrapping_epoch"] == epoch + 1
    assert marketer.ok("vault", "status", "--json").json["factors"] == ["passphrase", "lease"]


def test_work_is_saved_from_a_copy_and_sent(marketer: Person) -> None:
    made = unsent(marketer, "Спасите меня")
    saved = marketer.ok("vault", "recover", "--json").json
    assert (saved["unreadable"], saved["aside"]) == (0, None)
    assert saved["kept"]["queue"] == 1
    assert marketer.ok("status", "--json").json["items"] == 0
    marketer.ok("sync")
    assert made in {row["id"] for row in marketer.ok("list", "--json").json}


def test_removing_everything_is_asked_for_in_words(marketer: Person) -> None:
    unsent(marketer, "Пропадёт")
    refused = marketer.run("wipe")
    assert refused.code == 2
    assert "1 action was not sent yet" in refused.err
    assert marketer.ok("status", "--json").json["pending"] == 1
    assert marketer.ok("wipe", "--yes", "--json").json == {"wiped": True, "unsent": 1}
    assert {path.name for path in marketer.profile.iterdir()} <= {"local.lock"}
    assert marketer.run("status").code == 4


def test_whoever_forgot_the_passphrase_may_remove_everything(
    marketer: Person, passphrase_file: Path
) -> None:
    passphrase_file.write_text("forgotten\n")
    assert marketer.run("wipe").code == 2
    assert marketer.ok("wipe", "--yes", "--json").json == {"wiped": True, "unsent": None}
    assert not (marketer.profile / "local.key").exists()


def test_a_lost_laptop_is_ordered_to_remove_everything(
    marketer: Person, shared_hub: HubProcess
) -> None:
    db = ("--db", shared_hub.db_url)
    device = marketer.ok("doctor", "--json").json["device"]
    wipe = ("hub", "device", "wipe", device, *db)
    ordered = marketer.ok(*wipe, "--json").json
    assert (ordered["device"], ordered["user"]) == (device, "marketer1")
    assert ordered["wiped_at"] is None
    obeyed = marketer.run("sync")
    assert obeyed.code == 4
    assert "removed" in obeyed.err
    assert not (marketer.profile / "local.db").exists()
    assert marketer.ok(*wipe, "--json").json["wiped_at"] is not None
    assert "removed everything on" in marketer.ok(*wipe).out
    unknown = marketer.run("hub", "device", "wipe", "nobody", *db)
    assert unknown.code == 3


def test_nothing_open_needs_no_locking(marketer: Person) -> None:
    assert marketer.ok("lock", "--json").json == {"locked": True, "running": False}
