"""The command line's contract: what scripts may rely on."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from desk import __version__
from desk.cli import main
from desk.services.desk import Desk
from tests.commands.desks import PASSPHRASE, Person
from tests.hub_process import HubProcess

People = Callable[[str], Person]


def test_one_lead_goes_from_the_operator_to_the_sales_manager(
    shared_hub: HubProcess, person: People
) -> None:
    marketer, seller = person("marketer1"), person("sales1")
    marketer.login(shared_hub.url)
    seller.login(shared_hub.url)
    made = marketer.ok(
        *("new", "lead", "Пермь — Омск", "--set", "source=site", "--set", "weight_t=12,5"),
        *("--set", "name=Анна Ким", "--set", "phone=8 912 345-67-89", "--json"),
    ).json
    assert made["state"] == "sent"
    lead = marketer.ok("show", made["items"][0], "--json").json
    assert {"id", "kind", "title", "stage", "responsible", "score", "version", "pending",
            "fields", "timeline", "tasks", "linked"} <= set(lead)  # fmt: skip
    assert lead["fields"] == {"source": "site", "weight_t": 12.5}
    assert lead["subject"] == {"name": "Анна Ким", "phone": "+79123456789"}
    (qualification,) = lead["linked"]

    done = marketer.ok(
        *("do", "hand_off", qualification["id"]),
        *("--to", "sales1", "--comment", "Ждёт звонка", "--json"),
    ).json
    assert done["state"] == "sent"
    seller.ok("sync")
    (waiting,) = seller.ok("list", "--kind", "qualification", "--json").json
    assert {"id", "kind", "title", "stage", "responsible", "score", "version", "pending",
            "fields"} <= set(waiting)  # fmt: skip
    assert (waiting["stage"], waiting["responsible"]) == ("handed", "sales1")
    card = seller.ok("show", waiting["id"], "--json").json
    handed = next(entry for entry in card["timeline"] if entry["event"] == "hand_off")
    assert {name: handed[name] for name in ("who", "from", "to", "comment")} == {
        "who": "marketer1",
        "from": "new",
        "to": "handed",
        "comment": "Ждёт звонка",
    }
    assert isinstance(handed["at"], int)
    (call,) = seller.ok("show", made["items"][0], "--json").json["tasks"]
    assert (call["type"], call["assignee"]) == ("call_sales", "sales1")
    assert card["subject"]["phone"] != "+79123456789"

    seller.ok("do", "accept", waiting["id"])
    marketer.ok("sync")
    after = marketer.ok("show", made["items"][0], "--json").json
    assert (after["stage"], after["responsible"]) == ("in_work", "sales1")
    assert marketer.ok("count", "--kind", "qualification", "--by", "stage", "--json").json == {
        "accepted": 1
    }
    found = marketer.ok("count", "--filter", 'stage = "in_work" and weight_t > 12', "--json")
    assert found.json == 1


def test_status_has_the_keys_of_the_contract(shared_hub: HubProcess, person: People) -> None:
    head = person("head")
    head.login(shared_hub.url)
    status = head.ok("status", "--json").json
    assert set(status) == {
        *("user", "role", "hub", "online", "pending", "conflicts", "cursor", "items"),
    }
    assert (status["user"], status["role"], status["online"]) == ("head", "head", True)


def test_refusals_end_with_three_and_name_what_to_do(
    shared_hub: HubProcess, person: People
) -> None:
    marketer = person("marketer2")
    marketer.login(shared_hub.url)
    lead = marketer.ok("new", "lead", "Тула — Уфа", "--json").json["items"][0]
    card = marketer.ok("show", lead, "--json").json["linked"][0]["id"]
    for words, said in (
        (("do", "zzz", card), "There is no action “zzz” here. Possible now: start, hand_off"),
        (("do", "accept", card), "Your role may not do “accept”"),
        (("do", "return", card), "Your role may not"),
        (("do", "target", card), "Target direction (target_direction), Trips a month (monthly_v"),
        (("do", "junk", card, "--set", "junk_stage=moon"), "takes one of: junk_not_our_profile"),
        (("do", "start", card, "--set", "zzz=1"), "There is no field “zzz” here"),
        (("do", "hand_off", card, "--to", "marketer1"), "“marketer1” cannot take this card"),
        (("do", "start", "019f0000-0000-7000-8000-000000000001"), "There is no such card"),
        (("edit", lead, "--set", "weight_t=many"), "Weight, t (weight_t)” takes a number"),
        (("new", "deal", "x"), "Your role may not create such cards"),
    ):
        ran = marketer.run(*words)
        assert (ran.code, ran.out) == (3, ""), (words, ran)
        assert said in ran.err, (words, ran.err)
        assert ran.err.count("\n") == 1


def test_a_prefix_of_the_id_is_enough_where_it_is_clear(
    shared_hub: HubProcess, person: People
) -> None:
    marketer = person("marketer1")
    marketer.login(shared_hub.url)
    lead = marketer.ok("new", "lead", "Орёл — Тверь", "--json").json["items"][0]
    assert marketer.ok("show", lead[:-3], "--json").json["id"] == lead
    assert marketer.run("show", lead[:4]).code == 2
    assert marketer.run("show", lead[:8] + "-zzzz").code == 2
    assert marketer.run("show", "ffffffff").code == 3
    # The lead and its qualification begin alike: both were made in one moment.
    assert marketer.run("show", lead[:13]).code == 2


def test_work_goes_on_without_the_hub_and_is_sent_when_it_is_back(
    hub: HubProcess, person: People
) -> None:
    marketer = person("marketer1")
    marketer.login(hub.url)
    lead = marketer.ok("new", "lead", "Псков — Минск", "--json").json["items"][0]
    card = marketer.ok("show", lead, "--json").json["linked"][0]["id"]
    hub.kill()
    done = marketer.ok("do", "start", card, "--json")
    assert done.json["state"] == "queued"
    assert "does not answer" in done.err
    assert marketer.ok("note", card, "Просил перезвонить").code == 0
    (seen,) = marketer.ok("list", "--kind", "qualification", "--json").json
    assert (seen["stage"], seen["pending"]) == ("in_work", True)
    status = marketer.ok("status", "--json").json
    assert (status["online"], status["pending"]) == (False, 2)
    assert marketer.run("sync").code == 5
    hub.start()
    report = marketer.ok("sync", "--json").json
    assert (report["pushed"], report["applied"]) == (2, 2)
    assert marketer.ok("status", "--json").json["pending"] == 0


def test_a_stale_card_is_told_and_waits_in_the_inbox(hub: HubProcess, person: People) -> None:
    marketer, head = person("marketer1"), person("head")
    marketer.login(hub.url)
    lead = marketer.ok("new", "lead", "Брянск — Орёл", "--json").json["items"][0]
    card = marketer.ok("show", lead, "--json").json["linked"][0]["id"]
    head.login(hub.url)
    head.ok("do", "start", card)
    ran = marketer.run("do", "hand_off", card, "--to", "sales1", "--json")
    assert ran.code == 3
    assert ran.json["state"] == "conflict"
    assert "Somebody moved this card to “With marketing” first" in ran.err
    (entry,) = marketer.ok("inbox", "--json").json
    assert (entry["item"], entry["result"], entry["code"]) == (card, "conflict", "stale")
    shown = marketer.ok("inbox")
    assert entry["id"] in shown.out
    assert marketer.ok("inbox", "retry", entry["id"], "--json").json["state"] == "sent"
    assert marketer.ok("inbox", "--json").json == []
    assert marketer.run("inbox", "discard", entry["id"]).code == 3


def test_global_options_stand_before_or_after_the_command(
    shared_hub: HubProcess, person: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    marketer = person("marketer1")
    marketer.login(shared_hub.url)
    after = marketer.ok("count", "--json", "--lang", "en").json
    assert marketer.ok("--json", "--lang", "en", "count").json == after
    monkeypatch.setenv("DESK_HOME", str(marketer.profile))
    assert main(["count", "--json"]) == 0


def test_an_order_may_be_turned_round_and_an_edit_of_an_untouched_card_merges_nothing(
    shared_hub: HubProcess, person: People
) -> None:
    marketer = person("marketer1")
    marketer.login(shared_hub.url)
    for weight in ("5", "7"):
        marketer.ok("new", "lead", "Тула — Орёл", "--set", f"weight_t={weight}")
    marketer.ok("sync")
    filtered = ("list", "--kind", "lead", "--filter", 'title = "Тула — Орёл"', "--json")
    rows = marketer.ok(*filtered, "--sort", "-weight_t").json
    assert [row["fields"]["weight_t"] for row in rows] == [7, 5]
    edited = marketer.ok("edit", rows[0]["id"], "--set", "cargo=food", "--json")
    assert edited.json["state"] == "sent"
    assert marketer.ok("sync", "--json").json["merged"] == 0


def test_tables_are_for_people(shared_hub: HubProcess, person: People) -> None:
    marketer = person("marketer1")
    marketer.login(shared_hub.url)
    lead = marketer.ok("new", "lead", "Чита — Москва", "--set", "company=ООО «Лес»", "--json")
    lines = marketer.ok("list", "--kind", "lead", "--limit", "1", "--lang", "en").out.splitlines()
    assert re.split(r"\s{2,}", lines[0])[:4] == ["ID", "Stage", "Title", "Responsible"]
    assert "Чита — Москва" in lines[1]
    shown = marketer.ok("show", lead.json["items"][0], "--lang", "en").out
    assert "Company  ООО «Лес»" in shown
    assert "Created → New" in shown
    russian = marketer.ok("show", lead.json["items"][0], "--lang", "ru").out
    assert "Компания" in russian
    assert marketer.ok("find", "Чита").out.count("Чита — Москва") == 2


def test_an_empty_profile_stays_empty(person: People) -> None:
    nobody = person("nobody")
    for words in (("list",), ("status",), ("sync",), ("inbox",), ("do", "start", "0" * 8)):
        ran = nobody.run(*words)
        assert (ran.code, ran.out) == (4, ""), words
        assert "not signed in" in ran.err
    assert not nobody.profile.exists()
    russian = nobody.run("list", "--lang", "ru")
    assert "Вы не вошли" in russian.err


def test_wrong_answers_at_the_door_are_told_apart(
    shared_hub: HubProcess, person: People, tmp_path: Path
) -> None:
    seller = person("sales2")
    wrong = tmp_path / "wrong"
    wrong.write_text("nonsense\n", encoding="utf-8")
    door = ("login", "--hub", shared_hub.url, "--user")
    bad = seller.run(*door, "sales2", "--password-file", str(wrong))
    unknown = seller.run(*door, "nobody", "--password-file", str(wrong))
    assert (bad.code, unknown.code) == (4, 4)
    assert bad.err == unknown.err
    gone = seller.run("login", "--hub", "http://127.0.0.1:9", "--user", "x", "--password-file",
                      str(wrong))  # fmt: skip
    assert gone.code == 5
    assert "does not answer" in gone.err
    odd = seller.run("login", "--hub", "ftp://x", "--user", "x", "--password-file", str(wrong))
    assert odd.code == 2
    missing = seller.run(*door, "sales2", "--password-file", str(tmp_path / "none"))
    assert missing.code == 2
    assert "cannot be read" in missing.err


def test_the_vault_says_what_is_wrong_with_it(
    shared_hub: HubProcess,
    person: People,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seller = person("sales1")
    seller.login(shared_hub.url)
    with Desk.open(seller.profile, PASSPHRASE):
        taken = seller.run("list")
    assert taken.code == 4
    assert "Desk is running with the profile" in taken.err

    wrong = tmp_path / "wrong"
    wrong.write_text("nonsense", encoding="utf-8")
    monkeypatch.setenv("DESK_PASSPHRASE_FILE", str(wrong))
    ran = seller.run("list")
    assert (ran.code, ran.out) == (4, "")
    assert "passphrase is wrong" in ran.err

    monkeypatch.delenv("DESK_PASSPHRASE_FILE")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    ran = seller.run("list")
    assert (ran.code, ran.out) == (4, "")
    assert "DESK_PASSPHRASE_FILE" in ran.err

    monkeypatch.setenv("DESK_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    database = seller.profile / "local.db"
    good = database.read_bytes()
    database.write_bytes(b"SQLite format 3\0" + good[16:])
    ran = seller.run("list")
    assert ran.code == 4
    assert "local.db" in ran.err
    assert database.read_bytes()[:6] == b"SQLite"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fly",), "fly"),
        (("list", "--limit", "none"), "a number above 0 is needed"),
        (("list", "--lmit", "1"), "--lmit"),
        (("do", "start"), "ID"),
        (("hub", "import", "x"), "--map"),
        (("--lang", "fr", "list"), "fr"),
    ],
)
def test_a_wrong_command_line_ends_with_two_and_one_line(
    words: tuple[str, ...], said: str, person: People
) -> None:
    ran = person("marketer1").run(*words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_wrong_filters_and_columns_are_usage(shared_hub: HubProcess, person: People) -> None:
    marketer = person("marketer1")
    marketer.login(shared_hub.url)
    for words, said in (
        (("list", "--filter", "stage ="), "The filter cannot be read"),
        (("list", "--sort", "height"), "There is no field “height”"),
        (("count", "--by", "height"), "There is no field “height”"),
        (("list", "--kind", "planet"), "no cards of the kind “planet”"),
    ):
        ran = marketer.run(*words)
        assert (ran.code, ran.out) == (2, ""), words
        assert said in ran.err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"desk {__version__}\n"


def test_the_cheat_sheet_shows_the_keys_as_the_profile_has_them(person: People) -> None:
    marketer = person("marketer1")
    marketer.profile.mkdir(parents=True, exist_ok=True)
    (marketer.profile / "keys.toml").write_text('"app.search" = "ctrl+k"\n', encoding="utf-8")
    assert "| `Ctrl+K` | " in marketer.ok("keys", "--lang", "en").out
    assert "Клавиши" in marketer.ok("keys", "--lang", "ru").out
    keys = {one["action"]: one["keys"] for one in marketer.ok("keys", "--json").json}
    assert keys["app.search"] == ["ctrl+k"]
