"""`desk sync`, `desk doctor` and `desk inbox`: what scripts may rely on, and what people read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from desk.commands import output
from desk.commands.doctor import numbers_in_words
from desk.domain.operations import Comment, Create, Operation
from desk.protocol.messages import Result
from desk.services import inbox
from desk.services.desk import Desk
from tests.commands.desks import PASSPHRASE, Person, Ran
from tests.hub_process import HubProcess

People = Callable[[str], Person]
SYNC = {"pushed", "applied", "merged", "rejected", "conflicts", "pulled", "forgotten", "cursor",
        "seconds"}  # fmt: skip
INBOX = {"id", "operation", "item", "result", "reason", "code", "args", "mine", "theirs", "base",
         "changed", "after", "at"}  # fmt: skip
DOCTOR = {"version", "at", "user", "hub", "device", "pending", "pending_numbers", "pending_since",
          "uncovered", "inbox", "why", "last_error", "last_error_at", "synced_at", "reachable",
          "protocol", "clock_ms", "digest", "digest_at", "cursor", "epoch", "rows", "file_bytes",
          "wal_bytes", "to_scrub", "repairs"}  # fmt: skip


def conflicting_edits(hub: HubProcess, person: People) -> tuple[Person, str]:
    """A marketer whose edit met an edit of the head; and the lead."""
    marketer, head = person("marketer1"), person("head")
    marketer.login(hub.url)
    lead = marketer.ok("new", "lead", "Брянск — Орёл", "--set", "weight_t=5", "--json")
    item = lead.json["items"][0]
    head.login(hub.url)
    head.ok("edit", item, "--set", "weight_t=14")
    assert marketer.run("edit", item, "--set", "weight_t=12").code == 3
    return marketer, item


# sync


def test_sync_tells_exactly_what_its_contract_says(shared_hub: HubProcess, person: People) -> None:
    marketer = person("marketer1")
    marketer.login(shared_hub.url)
    report = marketer.ok("sync", "--json").json
    assert set(report) == SYNC
    assert report["cursor"].count(":") == 1


def test_sync_goes_on_until_nothing_comes_and_once_is_one_exchange(
    shared_hub: HubProcess, person: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    marketer = person("marketer1")
    marketer.login(shared_hub.url)
    marketer.ok("new", "lead", "Псков — Минск")
    exchanges: list[int] = []
    once = Desk.sync_once

    def counted(desk: Desk, *told: Any) -> object:
        report = once(desk, *told)
        exchanges.append(report.pulled)
        return report

    monkeypatch.setattr(Desk, "sync_once", counted)
    marketer.ok("sync", "--once")
    assert len(exchanges) == 1
    person("head").login(shared_hub.url)
    assert exchanges[-1] == 0
    assert 2 <= len(exchanges) - 1 <= 5


def test_each_step_is_told_on_stderr_and_no_value_of_a_card(
    shared_hub: HubProcess, person: People
) -> None:
    marketer = person("marketer1")
    marketer.login(shared_hub.url)
    with Desk.open(marketer.profile, PASSPHRASE) as desk:
        for number in range(60):
            desk.do(Create(kind="lead", title=f"Секрет {number}", subject={"name": "Анна Ким"}))
    ran = marketer.ok("sync", "--once", "--verbose", "--json")
    said = ran.err.splitlines()
    for step in ("the hub answers, protocol", "sent 50 of 60", "sent 60 of 60", "got a page",
                 "written: "):  # fmt: skip
        assert any(step in line for line in said), (step, said)
    assert "Секрет" not in ran.err
    assert "Анна" not in ran.err
    assert set(ran.json) == SYNC
    assert marketer.ok("sync", "--once").err == ""


def test_an_interrupted_fetch_says_that_it_goes_on(
    hub: HubProcess, person: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    marketer, operator = person("marketer1"), person("operator1")
    marketer.login(hub.url)
    for number in range(7):
        marketer.ok("new", "lead", f"Лид {number}")
    operator.ok("login", "--hub", hub.url, "--user", "operator1",
                "--password-file", str(operator.password_file))  # fmt: skip
    monkeypatch.setattr("desk.services.bootstrap._ITEMS", 2)

    def interrupt(_line: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(output, "progress", interrupt)
        ran = operator.run("sync")
    assert (ran.code, ran.out) == (130, "")
    assert "desk sync goes on where it was" in ran.err
    assert operator.run("doctor", "--json").json["why"]["code"] == "unfinished_fetch"
    operator.ok("sync")
    assert operator.ok("count", "--kind", "lead", "--json").json == 7


# doctor


def test_a_sound_desk_is_told_so_in_both_languages(shared_hub: HubProcess, person: People) -> None:
    marketer = person("marketer1")
    marketer.login(shared_hub.url)
    found = marketer.ok("doctor", "--json").json
    assert set(found) == DOCTOR
    assert (found["why"], found["repairs"], found["pending"]) == (None, [], 0)
    assert found["reachable"]
    assert set(found["rows"]) == {"item", "task", "entry", "subject", "person"}
    assert abs(found["clock_ms"]) < 60_000
    assert found["cursor"].startswith(found["epoch"])
    assert "Everything is in order." in marketer.ok("doctor", "--lang", "en").out
    assert "→" not in marketer.ok("doctor", "--lang", "en").out


def test_a_stuck_queue_is_explained_and_ends_with_the_code_of_its_reason(
    hub: HubProcess, person: People
) -> None:
    marketer = person("marketer1")
    marketer.login(hub.url)
    hub.kill()
    marketer.ok("new", "lead", "Псков — Минск")
    ran = marketer.run("doctor", "--json")
    assert ran.code == 5
    assert ran.json["why"]["code"] == "hub_unreachable"
    assert "does not answer" in ran.json["why"]["reason"]
    assert (ran.json["pending"], ran.json["pending_numbers"]) == (1, [1])
    assert ran.json["clock_ms"] is None
    assert ran.json["last_error"]["code"] == "hub_unreachable"
    told = marketer.run("doctor", "--lang", "en")
    assert ": no. 1\n" in told.out
    assert f"The hub {hub.url} does not answer" in told.out
    assert "не отвечает" in marketer.run("doctor", "--lang", "ru").out
    assert marketer.run("doctor", "--repair").code == 5
    hub.start()
    found = marketer.ok("doctor", "--json").json
    assert (found["why"], found["repairs"]) == (None, ["sync"])
    mended = marketer.ok("doctor", "--repair", "--json").json
    assert set(mended) == DOCTOR | {"repaired"}
    assert mended["repaired"][0] == "sync"
    assert (mended["pending"], mended["repairs"]) == (0, [])
    assert mended["last_error"]["code"] == "hub_unreachable"


def test_repairing_brings_back_what_the_desk_has_lost(
    shared_hub: HubProcess, person: People
) -> None:
    marketer = person("marketer1")
    marketer.login(shared_hub.url)
    lead = marketer.ok("new", "lead", "Потерянный", "--json").json["items"][0]
    marketer.ok("sync")
    assert marketer.ok("doctor", "--repair", "--json").json["repaired"] == ["sync"]
    with (
        Desk.open(marketer.profile, PASSPHRASE) as desk,
        desk.context.store.write() as connection,
    ):
        connection.exec_driver_sql("DELETE FROM item WHERE id = ?", (lead,))
    mended = marketer.ok("doctor", "--repair", "--json").json
    assert (mended["repaired"], mended["digest"]) == (["sync", "reconcile"], "repaired")
    assert marketer.ok("show", lead, "--json").json["title"] == "Потерянный"
    told = marketer.ok("doctor", "--repair", "--lang", "en")
    assert "the same as on the hub" in told.out
    assert told.err == "Sent, fetched and compared with the hub.\n"


def test_who_signed_out_is_told_to_sign_in(shared_hub: HubProcess, person: People) -> None:
    marketer = person("marketer1")
    marketer.login(shared_hub.url)
    marketer.ok("logout")
    ran = marketer.run("doctor", "--json")
    assert (ran.code, ran.json["repairs"]) == (4, ["sign_in"])
    assert (ran.json["user"], ran.json["why"]["code"]) == ("marketer1", "not_signed_in")
    assert "desk login --hub URL" in marketer.run("doctor", "--lang", "en").out
    assert person("nobody").run("doctor").code == 4


def test_runs_of_numbers_are_told_as_one() -> None:
    assert numbers_in_words(()) == ""
    assert numbers_in_words((3, 4, 5, 7, 9, 10)) == "3–5, 7, 9–10"
    assert numbers_in_words(range(1, 1001)) == "1–1000"
    assert numbers_in_words(range(1, 100, 2)).endswith(", 23, …")


# inbox


def test_an_entry_has_the_three_sides_of_each_field(hub: HubProcess, person: People) -> None:
    marketer, item = conflicting_edits(hub, person)
    (entry,) = marketer.ok("inbox", "--json").json
    assert set(entry) == INBOX
    assert (entry["operation"], entry["item"], entry["result"], entry["code"]) == (
        *("edit_fields", item, "conflict", "field_conflict"),
    )
    assert (entry["mine"], entry["theirs"], entry["base"]) == (
        *({"weight_t": 12}, {"weight_t": 14}, {"weight_t": 5}),
    )
    assert "Weight" in entry["reason"]
    assert "Вес" in marketer.ok("inbox", "--json", "--lang", "ru").json[0]["reason"]


def test_people_read_mine_theirs_and_base(hub: HubProcess, person: People) -> None:
    marketer, item = conflicting_edits(hub, person)
    lines = marketer.ok("inbox", "--lang", "en").out.splitlines()
    assert "somebody was first" in lines[0]
    assert lines[1] == f"  Change of fields: Брянск — Орёл ({item})"
    assert [" ".join(line.split()) for line in lines if line.startswith("    ")][:3] == [
        *("you wanted 12", "on the hub 14", "it was 5"),
    ]
    assert "Weight, t (weight_t)" in lines[3]


def test_an_entry_is_decided_by_the_beginning_of_its_id(hub: HubProcess, person: People) -> None:
    marketer, item = conflicting_edits(hub, person)
    identifier: str = marketer.ok("inbox", "--json").json[0]["id"]
    assert marketer.run("inbox", "discard", identifier[:7]).code == 2
    assert marketer.run("inbox", "discard", "ffffffff").code == 3
    again = marketer.ok("inbox", "retry", identifier[:8], "--json").json
    assert again["state"] == "sent"
    assert marketer.ok("show", item, "--json").json["fields"]["weight_t"] == 12
    assert marketer.ok("inbox", "--json").json == []


def test_a_discarded_entry_is_gone(hub: HubProcess, person: People) -> None:
    marketer, _item = conflicting_edits(hub, person)
    identifier = marketer.ok("inbox", "--json").json[0]["id"]
    assert marketer.ok("inbox", "discard", identifier, "--json").json == {"id": identifier}
    ran: Ran = marketer.ok("inbox")
    assert (ran.out, ran.err) == ("", "Nothing waits for your decision.\n")


def test_two_entries_of_one_moment_need_more_of_the_id(
    shared_hub: HubProcess, person: People
) -> None:
    marketer = person("marketer1")
    marketer.login(shared_hub.url)
    ids = [f"019f0000-0000-7000-8000-00000000000{number}" for number in (1, 2)]
    with (
        Desk.open(marketer.profile, PASSPHRASE) as desk,
        desk.context.store.write() as connection,
    ):
        for number, identifier in enumerate(ids, 1):
            asked = Operation(id=identifier, at=1, intent=Comment(item_id=ids[0], text="Не дошло"))
            refused = Result(number=number, id=identifier, result="rejected", code="no_item")
            inbox.add(connection, desk.context, asked, refused)
    ambiguous = marketer.run("inbox", "discard", ids[0][:8])
    assert (ambiguous.code, ambiguous.out) == (2, "")
    assert "Several entries begin so" in ambiguous.err
    told = marketer.ok("inbox", "--lang", "en").out
    assert "Comment: (a card you no longer see)" in told
    assert "you wanted  Не дошло" in told
    marketer.ok("inbox", "discard", ids[0])
    assert [entry["id"] for entry in marketer.ok("inbox", "--json").json] == [ids[1]]
