"""A person's data at the command line: shown for a purpose, looked up, taken out for himself."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest

from tests.commands.desks import Person
from tests.hub_process import HubProcess

People = Callable[[str], Person]


@pytest.fixture
def marketer(shared_hub: HubProcess, person: People) -> Person:
    one = person("marketer1")
    one.login(shared_hub.url)
    return one


def known(marketer: Person, phone: str, name: str) -> str:
    """A lead of somebody with that phone; the id of the person."""
    about = ("--set", f"phone={phone}", "--set", f"name={name}")
    lead = marketer.ok("new", "lead", "Тула — Уфа", *about, "--json").json["items"][0]
    marketer.ok("sync")
    (found,) = marketer.ok("pd", "find", phone, "--json").json
    assert lead in found["items"]
    return found["id"]


def test_a_person_is_found_by_a_whole_phone_also_from_stdin(
    marketer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = known(marketer, "+79351112233", "Анна")
    for typed in ("8 935 111-22-33", "+7 935 111 22 33"):
        (found,) = marketer.ok("pd", "find", typed, "--json").json
        assert (found["id"], found["name"], found["stage"]) == (subject, "Анна", "active")
    monkeypatch.setattr("sys.stdin", io.StringIO("89351112233\n"))
    assert [one["id"] for one in marketer.ok("pd", "find", "-", "--json").json] == [subject]
    assert marketer.ok("pd", "find", "935111", "--json").json == []


def test_a_person_is_shown_for_a_purpose_of_the_company_alone(marketer: Person) -> None:
    subject = known(marketer, "+79351112244", "Борис")
    shown = marketer.ok("pd", "show", subject, "--purpose", "processing", "--json").json
    assert shown["fields"] == {"name": "Борис", "phone": "+79351112244"}
    assert set(shown) == {"id", "stage", "items", "fields", "consents"}
    assert "Борис" in marketer.ok("pd", "show", subject[:30], "--purpose", "calls").out
    curious = marketer.run("pd", "show", subject, "--purpose", "curiosity")
    assert (curious.code, curious.out) == (2, "")
    assert "processing, calls, mailing" in curious.err
    missing = marketer.run("pd", "show", "00000000", "--purpose", "calls")
    assert (missing.code, missing.out) == (3, "")


def test_consents_are_told_for_every_purpose(marketer: Person) -> None:
    subject = known(marketer, "+79351112255", "Вера")
    told = marketer.ok("pd", "consents", subject, "--json").json
    assert [(one["purpose"], one["state"]) for one in told["consents"]] == [
        ("processing", "none"),
        ("calls", "none"),
        ("mailing", "none"),
    ]
    assert "Calls with offers" in marketer.ok("pd", "consents", subject).out


def test_what_a_person_says_of_his_consents_is_written_down_and_ends_the_work(
    marketer: Person,
) -> None:
    subject = known(marketer, "+79351112266", "Глеб")
    lead = marketer.ok("pd", "find", "+79351112266", "--json").json[0]["items"][0]
    given = ("pd", "give", lead, "mailing", "--channel", "site", "--evidence", "form 7", "--json")
    assert marketer.ok(*given).json["state"] == "sent"
    states = {
        one["purpose"]: one["state"]
        for one in marketer.ok("pd", "consents", subject, "--json").json["consents"]
    }
    assert states["mailing"] == "given"
    marketer.ok("pd", "withdraw", lead, "mailing", "--channel", "phone")
    unknown = marketer.run("pd", "give", lead, "fishing", "--channel", "site")
    assert (unknown.code, unknown.out) == (3, "")
    marketer.ok("pd", "demand", lead, "--channel", "email")
    stopped = marketer.run("edit", lead, "--set", "company=x")
    assert stopped.code == 3
    shown = marketer.ok("pd", "consents", subject, "--json").json
    assert shown["stage"] == "erasure_requested"


def test_the_hub_gives_out_all_that_it_keeps_of_a_person(hub: HubProcess, person: People) -> None:
    one = person("marketer1")
    one.login(hub.url)
    subject = known(one, "+79351112266", "Глеб")
    target = one.profile / "copy.pdf"
    one.ok("hub", "pd", "export", subject, "--db", hub.db_url, "--out", str(target))
    assert target.read_bytes().startswith(b"%PDF-")
    target = one.profile / "copy.json"
    one.ok("hub", "pd", "export", subject, "--db", hub.db_url, "--out", str(target))
    assert json.loads(target.read_bytes())["subject"]["fields"]["name"] == "Глеб"
    nobody = "019f0000-0000-7000-8000-000000000001"
    assert one.run("hub", "pd", "export", nobody, "--db", hub.db_url).code == 3
