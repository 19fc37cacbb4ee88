"""The commands of whoever runs the hub."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.commands.desks import Person
from tests.hub_process import HubProcess

People = Callable[[str], Person]
MAP = """
kind = "lead"
title = "{firm}"
[fields.company]
column = "firm"
[fields.weight_t]
column = "t"
"""


@pytest.fixture
def admin(person: People) -> Person:
    return person("admin")


def test_a_hub_is_made_filled_with_people_and_served(admin: Person, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    empty = admin.run("hub", "user", "add", "anna", "--role", "sales", "--db", url,
                      "--password-file", str(admin.password_file))  # fmt: skip
    assert empty.code == 3
    assert "desk hub init" in empty.err

    assert admin.ok("hub", "init", "--db", url, "--case", "freight", "--json").json["hub"]
    again = admin.run("hub", "init", "--db", url, "--case", "freight")
    assert again.code == 3
    assert "holds a hub already" in again.err

    add = ("hub", "user", "add", "--db", url, "--password-file", str(admin.password_file))
    made = admin.ok(*add, "anna", "--role", "sales", "--full-name", "Анна Ким", "--json").json
    assert made == {"user": "anna", "name": "Анна Ким", "role": "sales"}
    for words, said in (
        (("anna", "--role", "sales"), "There is a user “anna” already"),
        (("boris", "--role", "pilot"), "There is no role “pilot”. Choose one of: operator"),
        (("Борис", "--role", "sales"), "small Latin letters"),
    ):
        ran = admin.run(*add, *words)
        assert ran.code == 3, words
        assert said in ran.err

    process = subprocess.Popen(
        [sys.executable, "-m", "desk", "hub", "serve", "--db", url, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    try:
        word, address = process.stdout.readline().split()
        assert word == "ready"
        assert httpx.get(f"{address}/v1/handshake").is_success
        port = address.rpartition(":")[2]
        taken = admin.run("hub", "serve", "--db", url, "--port", port)
        assert taken.code == 5
        assert "Choose another --port" in taken.err
        process.terminate()
        assert process.wait(60) == (0 if os.name != "nt" else 1)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--db", "sqlite:///{folder}/a.db"), 2, "either a shipped one by --case, or a file"),
        (("--db", "sqlite:///{folder}/a.db", "--case", "moon"), 2, "Choose one of: bank, freight"),
        (("--db", "mysql://x", "--case", "freight"), 3, "This is no database Desk knows"),
        (("--db", "sqlite:////no/such/dir/a.db", "--case", "freight"), 5, "cannot be reached"),
        (("--db", "sqlite:///{folder}/a.db", "--playbook", "{folder}/none"), 2, "cannot be read"),
    ],
)
def test_a_hub_that_cannot_be_made_says_why(
    words: tuple[str, ...], code: int, said: str, admin: Person, tmp_path: Path
) -> None:
    ran = admin.run("hub", "init", *(word.format(folder=tmp_path) for word in words))
    assert ran.code == code
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_broken_playbook_is_named_with_its_line(admin: Person, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    path.write_text('format = 1\nid = "x\n', encoding="utf-8")
    ran = admin.run("hub", "init", "--db", url, "--playbook", str(path))
    assert ran.code == 3
    assert ran.err.startswith("mine.toml: line 2: ")
    path.write_text('format = 1\nid = "x"\ntitel = 1\n', encoding="utf-8")
    ran = admin.run("hub", "init", "--db", url, "--playbook", str(path))
    assert "did you mean “title”" in ran.err


def test_an_import_into_no_hub_says_how_to_make_one(admin: Person, tmp_path: Path) -> None:
    file, mapping = tmp_path / "a.csv", tmp_path / "map.toml"
    file.write_text("firm;t\nOne;1\n", encoding="utf-8")
    mapping.write_text(MAP, encoding="utf-8")
    ran = admin.run("hub", "import", str(file), "--map", str(mapping),
                    "--db", f"sqlite:///{tmp_path / 'none.db'}")  # fmt: skip
    assert ran.code == 3
    assert "desk hub init" in ran.err
    assert not (tmp_path / "none.db").exists()


def test_an_import_reports_what_was_refused_and_ends_well(admin: Person, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    admin.ok("hub", "init", "--db", url, "--case", "freight")
    (tmp_path / "map.toml").write_text(MAP, encoding="utf-8")
    (tmp_path / "in.csv").write_text("firm,t\nA,1\nB,many\nC,3\n", encoding="utf-8")
    command = ("hub", "import", str(tmp_path / "in.csv"), "--db", url, "--map")
    mapping = str(tmp_path / "map.toml")
    dry = admin.ok(*command, mapping, "--dry-run", "--json").json
    assert (dry["imported"], dry["dry_run"]) == (2, True)
    ran = admin.ok(*command, mapping)
    assert "takes a number" in ran.out
    assert "in.csv.refused.csv" in ran.err
    again = admin.ok(*command, mapping, "--json").json
    assert (again["rows"], again["imported"], again["present"]) == (3, 0, 2)
    assert again["refused"] == [
        {"code": "not_a_number", "args": {"field": "weight_t"}, "rows": 1, "line": 3}
    ]
    wrong = admin.run(*command, str(tmp_path / "none.toml"))
    assert (wrong.code, wrong.out) == (3, "")
    assert "no readable mapping none.toml" in wrong.err


def test_the_hub_of_a_bank_needs_no_line_of_code(
    admin: Person, person: People, tmp_path: Path
) -> None:
    process = HubProcess(tmp_path, people=(("operator1", "operator"),), case="bank").start()
    try:
        (tmp_path / "bank.csv").write_text(
            '"age";"job";"marital";"education";"default";"balance";"housing";"loan";"contact";'
            '"day";"month";"duration";"campaign";"pdays";"previous";"poutcome";"y"\n'
            '58;"management";"married";"tertiary";"no";2143;"yes";"no";"unknown";'
            '5;"may";261;1;-1;0;"unknown";"no"\n',
            encoding="utf-8",
        )
        database = process.db_url
        admin.ok("hub", "import", str(tmp_path / "bank.csv"), "--db", database, "--map", "bank")
        operator = person("operator1")
        operator.login(process.url)
        (client,) = operator.ok("list", "--filter", "balance > 2000", "--json").json
        assert (client["stage"], client["title"]) == ("refused", "management, 58")
        assert client["fields"]["subscribed"] is False
    finally:
        process.kill()
