"""Who comes in at a hub and how, from the command line of both sides."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyotp.totp import TOTP

from desk.hub import sessions
from desk.hub.database import Database
from tests.commands.desks import Person, Ran
from tests.hub_process import HubProcess

People = Callable[[str], Person]
NEW = "верёвочка 42 лиса"


@pytest.fixture
def admin(person: People) -> Person:
    return person("admin")


@pytest.fixture
def as_before(hub: HubProcess) -> Iterator[None]:
    """Whatever the test asks of sign-ins, the next one asks nothing."""
    yield
    with Database(hub.db_url) as database:
        sessions.demand(database, "open", ["none"])


def secret(folder: Path, text: str) -> str:
    path = folder / f"{len(list(folder.iterdir()))}.secret"
    path.write_text(f"{text}\n", encoding="utf-8")
    return str(path)


def come(person: Person, hub: HubProcess, *more: str) -> Ran:
    return person.run(
        *("login", "--hub", hub.url, "--user", person.name),
        *("--password-file", str(person.password_file), *more),
    )


def test_a_new_device_is_enrolled_by_a_code_that_the_administrator_gives(
    hub: HubProcess, person: People, admin: Person, tmp_path: Path, as_before: None
) -> None:
    seller = person("sales2")
    db = ("--db", hub.db_url)
    changed = admin.ok("hub", "security", "--enrolment", "code", *db, "--json").json
    assert changed == {"enrolment": "code", "totp": []}
    refused = come(seller, hub)
    assert refused.code == 4
    assert "--enrolment-file" in refused.err
    given = admin.ok("hub", "enroll", "sales2", *db, "--json").json
    assert set(given) == {"user", "code", "expires_at"}
    wrong = come(seller, hub, "--enrolment-file", secret(tmp_path, "AAAA-AAAA"))
    assert (wrong.code, "code is wrong" in wrong.err) == (4, True)
    ran = come(seller, hub, "--enrolment-file", secret(tmp_path, given["code"]))
    assert ran.code == 0, ran.err
    assert come(seller, hub).code == 0
    assert given["code"] not in ran.out + ran.err + wrong.err


def test_a_second_factor_is_asked_for_and_reset_by_the_administrator(
    hub: HubProcess, person: People, admin: Person, tmp_path: Path, as_before: None
) -> None:
    seller = person("sales2")
    db = ("--db", hub.db_url)
    with Database(hub.db_url) as database:
        from desk.hub import totp

        begun = totp.begin(database, "sales2", random.Random(1).randbytes)
    code = TOTP(begun.secret).now()
    assert come(seller, hub, "--code-file", secret(tmp_path, code)).code == 0
    again = come(seller, hub)
    assert (again.code, "--code-file" in again.err) == (4, True)
    assert come(seller, hub, "--code-file", secret(tmp_path, code)).code == 4
    assert come(seller, hub, "--code-file", secret(tmp_path, begun.recovery[0])).code == 0
    assert admin.ok("hub", "totp", "reset", "sales2", *db, "--json").json == {
        "user": "sales2",
        "was": True,
    }
    assert come(seller, hub).code == 0


def test_one_lists_and_ends_ones_sessions(hub: HubProcess, person: People, admin: Person) -> None:
    here, there = person("head"), person("operator1")
    here.login(hub.url)
    there.name = "head"
    there.login(hub.url)
    listed = here.ok("sessions", "--json").json
    assert [set(one) for one in listed] == [
        {"id", "device", "device_name", "created_at", "renewed_at", "current"}
    ] * len(listed)
    (mine,) = (one["id"] for one in there.ok("sessions", "--json").json if one["current"])
    assert here.ok("sessions", "revoke", mine, "--json").json == {"id": mine}
    assert there.run("sync").code == 4
    assert here.run("sessions", "revoke", mine).code == 3
    assert "this one" in here.ok("sessions").out


def test_a_password_is_changed_by_its_owner_and_given_by_the_administrator(
    hub: HubProcess, person: People, admin: Person, tmp_path: Path
) -> None:
    marketer, db = person("marketer2"), ("--db", hub.db_url)
    marketer.login(hub.url)
    old = ("--password-file", str(marketer.password_file))
    weak = marketer.run("password", *old, "--new-password-file", secret(tmp_path, "short"))
    assert (weak.code, "shorter than 10" in weak.err) == (3, True)
    new = secret(tmp_path, NEW)
    marketer.ok("password", *old, "--new-password-file", new)
    assert come(marketer, hub).code == 4
    given = ("hub", "user", "password", "marketer2", *db)
    refused = admin.run(*given, "--password-file", secret(tmp_path, "marketer2 is mine"))
    assert (refused.code, "name stands in it" in refused.err) == (3, True)
    assert admin.ok(*given, "--password-file", new, "--json").json["user"] == "marketer2"
    assert marketer.run("sync").code == 4


def test_a_user_is_kept_out_and_let_in_again(
    hub: HubProcess, person: People, admin: Person
) -> None:
    seller, db = person("sales1"), ("--db", hub.db_url)
    seller.login(hub.url)
    assert admin.ok("hub", "user", "disable", "sales1", *db, "--json").json == {
        "user": "sales1",
        "active": False,
        "changed": True,
    }
    assert seller.run("sync").code == 4
    assert come(seller, hub).code == 4
    admin.ok("hub", "user", "enable", "sales1", *db)
    assert come(seller, hub).code == 0


def test_a_hub_off_loopback_without_tls_says_what_to_do(admin: Person, hub: HubProcess) -> None:
    ran = admin.run("hub", "serve", "--db", hub.db_url, "--host", "0.0.0.0")
    assert ran.code == 3
    assert "--tls-cert" in ran.err
    assert "--behind-proxy" in ran.err
    assert ran.err.count("\n") == 1
