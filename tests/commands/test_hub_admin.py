"""Administering a hub from the command line, and what the desks do then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desk.resources import playbooks_dir
from tests.commands.desks import Person
from tests.hub_process import HubProcess

People = Callable[[str], Person]


@pytest.fixture
def admin(person: People) -> Person:
    return person("admin")


def test_a_lost_laptop_is_signed_out_and_keeps_its_queue(
    hub: HubProcess, person: People, admin: Person
) -> None:
    marketer = person("marketer1")
    marketer.login(hub.url)
    (device,) = admin.ok("hub", "devices", "marketer1", "--db", hub.db_url, "--json").json
    assert set(device) == {"id", "user", "name", "last_op", "signed_in", "seen_at"}
    assert device["id"] == marketer.ok("doctor", "--json").json["device"]
    gone = admin.ok("hub", "token", "revoke", device["id"], "--db", hub.db_url, "--json").json
    assert gone == {"user": "marketer1", "devices": [device["id"]]}
    done = marketer.ok("new", "lead", "Псков — Минск", "--json")
    assert done.json["state"] == "queued"
    found = marketer.run("doctor", "--json")
    assert (found.code, found.json["why"]["code"], found.json["pending"]) == (
        *(4, "not_signed_in", 1),
    )
    assert found.json["repairs"] == ["sign_in"]
    marketer.login(hub.url)
    assert marketer.ok("status", "--json").json["pending"] == 0
    assert admin.ok("hub", "token", "revoke", "marketer1", "--db", hub.db_url).out == (
        f"{device['id']}\n"
    )
    table = admin.ok("hub", "devices", "--db", hub.db_url, "--lang", "en").out
    assert table.splitlines()[1].split()[:2] == [device["id"], "marketer1"]


def test_another_role_reaches_the_desk_with_its_next_exchange(
    hub: HubProcess, person: People, admin: Person
) -> None:
    seller = person("sales1")
    seller.login(hub.url)
    role = ("hub", "user", "role", "--db", hub.db_url)
    assert admin.ok(*role, "sales1", "head", "--json").json == {
        "user": "sales1",
        "role": "head",
        "was": "sales",
    }
    seller.ok("sync")
    assert seller.ok("status", "--json").json["role"] == "head"
    assert "has the role head already" in admin.ok(*role, "sales1", "head").out


def test_the_log_is_one_array_of_ids(hub: HubProcess, person: People, admin: Person) -> None:
    marketer = person("marketer1")
    marketer.login(hub.url)
    log = ("hub", "log", "--db", hub.db_url)
    last = admin.ok(*log, "--json").json[-1]["seq"]
    lead = marketer.ok("new", "lead", "Тайна", "--set", "name=Анна Ким", "--json").json["items"][0]
    ran = admin.ok(*log, "--since", str(last), "--json")
    assert {frozenset(line) for line in ran.json} == {
        frozenset(("seq", "kind", "id", "item", "op", "version", "who", "at"))
    }
    assert lead in {line["id"] for line in ran.json}
    assert "marketer1" in {line["who"] for line in ran.json}
    assert "Тайна" not in ran.out
    assert "Анна" not in ran.out
    assert ran.err == ""
    piece = admin.ok(*log, "--limit", "2", "--json")
    assert [line["seq"] for line in piece.json] == [1, 2]
    assert piece.err == "More follows: --since 2\n"
    assert admin.ok(*log, "--since", "2", "--limit", "1", "--json").json[0]["seq"] == 3
    assert lead in admin.ok(*log, "--since", str(last)).out


def test_a_changed_playbook_comes_to_the_desks(
    hub: HubProcess, person: People, admin: Person, tmp_path: Path
) -> None:
    marketer = person("marketer1")
    marketer.login(hub.url)
    marketer.ok("new", "lead", "Псков — Минск")
    source = (playbooks_dir() / "freight.toml").read_text(encoding="utf-8")
    install = ("hub", "playbook", "install", "--db", hub.db_url)
    mine = tmp_path / "mine.toml"
    mine.write_text(source.replace('en = "Weight, t"', 'en = "Mass, t"'), encoding="utf-8")
    assert admin.ok(*install, str(mine), "--json").json == {"version": 2, "was": 1}
    marketer.ok("sync")
    lead = marketer.ok("list", "--kind", "lead", "--json").json[0]["id"]
    marketer.ok("edit", lead, "--set", "weight_t=5")
    assert "Mass, t" in marketer.ok("show", lead, "--lang", "en").out
    assert "in force already, as version 2" in admin.ok(*install, str(mine)).out
    taken = admin.run(*install, "--case", "bank", "--lang", "en")
    assert (taken.code, taken.out) == (3, "")
    assert "qualification.new (1)" in taken.err
    mine.write_text('format = 1\nid = "x\n', encoding="utf-8")
    broken = admin.run(*install, str(mine))
    assert broken.code == 3
    assert broken.err.startswith("mine.toml: line 2: ")
    assert admin.run(*install).code == 2


def test_a_new_epoch_makes_desks_compare_and_keeps_their_work(
    hub: HubProcess, person: People, admin: Person
) -> None:
    marketer = person("marketer1")
    marketer.login(hub.url)
    hub.kill()
    marketer.ok("new", "lead", "Псков — Минск")
    begun = admin.ok("hub", "epoch", "--db", hub.db_url, "--json").json
    assert set(begun) == {"epoch", "was"}
    assert marketer.ok("status", "--json").json["cursor"].startswith(begun["was"])
    hub.start()
    marketer.ok("sync")
    status = marketer.ok("status", "--json").json
    assert status["cursor"].startswith(begun["epoch"])
    assert status["pending"] == 0
    assert marketer.ok("count", "--kind", "lead", "--json").json == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("user", "role", "nobody", "sales"), 3, "There is no user “nobody”"),
        (("user", "role", "sales1", "pilot"), 3, "There is no role “pilot”. Choose one of: oper"),
        (("token", "revoke", "nobody"), 3, "There is no user and no device “nobody”"),
        (("devices", "nobody"), 3, "There is no user “nobody”"),
        (("log", "--since", "-1"), 2, "a number from 0 on is needed"),
        (("log", "--since", "many"), 2, "a number from 0 on is needed"),
        (("playbook", "install", "/no/such/file.toml"), 2, "cannot be read"),
        (("playbook", "install", "--case", "moon"), 2, "Choose one of: bank, freight"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    words: tuple[str, ...], code: int, said: str, shared_hub: HubProcess, admin: Person
) -> None:
    ran = admin.run("hub", *words, "--db", shared_hub.db_url, "--lang", "en")
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1
    russian = admin.run("hub", *words, "--db", shared_hub.db_url, "--lang", "ru")
    assert russian.code == code


def test_a_refusal_is_in_the_readers_language(shared_hub: HubProcess, admin: Person) -> None:
    words = ("hub", "user", "role", "sales1", "pilot", "--db", shared_hub.db_url)
    assert admin.run(*words, "--lang", "ru").err.startswith("Роли «pilot» нет")


@pytest.mark.parametrize(
    "words",
    [
        ("user", "role", "sales1", "head"),
        ("token", "revoke", "sales1"),
        ("devices",),
        ("log",),
        ("playbook", "install", "--case", "freight"),
        ("epoch",),
    ],
)
def test_nothing_is_made_where_there_is_no_hub(
    words: tuple[str, ...], admin: Person, tmp_path: Path
) -> None:
    database = tmp_path / "none.db"
    ran = admin.run("hub", *words, "--db", f"sqlite:///{database}")
    assert ran.code == 3
    assert "desk hub init" in ran.err
    assert not database.exists()
    away = admin.run("hub", *words, "--db", "postgresql://desk@127.0.0.1:9/desk")
    assert away.code == 5
    assert away.out == ""


def test_a_group_alone_says_what_is_in_it(admin: Person) -> None:
    for group, part in (("user", "role"), ("token", "revoke"), ("playbook", "install")):
        ran = admin.run("hub", group)
        assert ran.code == 2
        assert part in ran.out
