"""What the hub writes into its journal when data goes out."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text, update

from desk.commands import hub_journal
from desk.domain.journal import Access, unpack
from desk.domain.operations import Comment
from desk.hub import administration, journal
from desk.protocol.journal import JournalLine, JournalQuery
from desk.schema import hub_tables as t
from tests.hub.hubs import FREIGHT, PEOPLE, START, Hub, copy_files, new_lead, problem, running


@pytest.fixture
def hub(sqlite_template: Path, tmp_path: Path) -> Iterator[Hub]:
    """A running hub: what is written does not depend on the database."""
    copy_files(sqlite_template, tmp_path / "hub.db")
    with running(f"sqlite:///{tmp_path / 'hub.db'}") as hub:
        yield hub


def entries(hub: Hub, **asked: Any) -> list[Access]:
    """The journal, the oldest first."""
    with hub.database.read() as connection:
        found = journal.page(connection, JournalQuery(**asked, limit=500)).lines
    return [entry.access for entry in reversed(found)]


def test_each_page_that_goes_to_a_desk_names_whose_data_it_carries(hub: Hub) -> None:
    operator = hub.desk("operator1")
    operator.bootstrap()
    assert entries(hub, event="deliver") == []
    operator.done(new_lead(name="Иван Секретный", phone="+79161234567"))
    operator.pull()
    hub.clock.pass_minutes(1)
    other = hub.desk("operator2")
    other.bootstrap()
    (subject,) = operator.rows["subject"]
    pulled, taken = entries(hub, event="deliver")
    assert (pulled.who, pulled.role, pulled.device) == ("operator1", "operator", operator.device)
    assert (taken.who, taken.device) == ("operator2", other.device)
    assert [one.detail["via"] for one in (pulled, taken)] == ["changes", "snapshot"]
    for one in (pulled, taken):
        assert list(unpack(one.subjects)) == [subject]
        assert one.count == 1
    assert [one.access for one in _extract(hub, subject)] == [pulled, taken]


def test_a_comment_that_goes_out_alone_names_whom_it_is_about(hub: Hub) -> None:
    operator = hub.desk("operator1")
    lead = operator.done(new_lead(name="Иван"))
    operator.bootstrap()
    operator.done(Comment(item_id=lead, text="звонила жена Мария"))
    hub.clock.pass_minutes(1)
    operator.pull()
    (subject,) = operator.rows["subject"]
    told = entries(hub, event="deliver")[-1]
    assert told.at == hub.clock.now
    assert list(unpack(told.subjects)) == [subject]


def test_signing_in_and_whatever_changes_rights_are_entries(hub: Hub) -> None:
    seller = hub.desk("sales1")
    (came,) = entries(hub, event="sign_in")
    assert (came.who, came.role, came.device) == ("sales1", "sales", seller.device)
    before = len(entries(hub, event="rights"))
    administration.change_role(hub.database, "sales1", "head", START + 1)
    administration.revoke(hub.database, "sales1", START + 2)
    changed = FREIGHT.replace("Ответственный за ПД", "Отвечает за ПД")
    administration.install_playbook(hub.database, changed, "freight", START + 3)
    with hub.database.read() as connection:
        asked = JournalQuery(event="rights", since=START, until=START + 10)
        lines = journal.page(connection, asked).lines
    assert [line.access.detail for line in lines] == [
        {"what": "playbook", "was": "1", "version": "2"},
        {"what": "session", "holder": "sales1"},
        {"what": "role", "user": "sales1", "was": "sales", "role": "head"},
    ]
    assert before == len(PEOPLE)
    assert {(line.stream, line.access.who) for line in lines} == {("hub", None)}


def test_no_page_is_sent_that_cannot_be_journaled(hub: Hub) -> None:
    operator = hub.desk("operator1")
    operator.done(new_lead(name="Иван"))
    with hub.database.write() as connection:
        connection.execute(text("DROP TABLE journal_head"))
    answer = operator.get("/v1/snapshot")
    assert problem(answer)[:2] == (503, "unavailable")


def test_no_value_is_in_any_byte_of_the_journal(hub: Hub) -> None:
    secrets = ("Секретов", "9161234567", "secretov", "звонила")
    operator = hub.desk("operator1")
    lead = operator.done(
        new_lead(name="Иван Секретов", phone="+79161234567", email="secretov@example.com")
    )
    operator.done(Comment(item_id=lead, text="звонила жена"))
    hub.desk("operator2").bootstrap()
    with hub.database.read() as connection:
        rows = connection.execute(t.journal.select()).all()
    assert rows
    raw = b"\n".join(
        value if isinstance(value, bytes) else msgspec.json.encode(value)
        for row in rows
        for value in row
    ).decode("utf-8", "replace")
    assert not [secret for secret in secrets if secret in raw]


def test_the_command_says_whether_the_journal_is_whole(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    operator = hub.desk("operator1")
    operator.done(new_lead(name="Иван"))
    operator.bootstrap()
    operator.bootstrap()
    options = Namespace(db=hub.url, json=False)
    assert hub_journal.verify(options) == 0
    assert "whole" in capsys.readouterr().out
    with hub.database.write() as connection:
        mine = (t.journal.c.stream == operator.device, t.journal.c.seq == 1)
        connection.execute(update(t.journal).where(*mine).values(who="nobody"))
    assert hub_journal.verify(options) == 1
    assert capsys.readouterr().out == (
        f"Edited: entries 1 to 1 of {operator.device} are not what was written.\n"
    )
    assert hub_journal.verify(Namespace(db=hub.url, json=True)) == 1
    said = msgspec.json.decode(capsys.readouterr().out)
    broken = {"stream": operator.device, "code": "edited", "seq": 1, "until": 1}
    assert (said["streams"], said["broken"]) == (2, [broken])


def _extract(hub: Hub, subject_id: str) -> list[JournalLine]:
    with hub.database.read() as connection:
        return journal.extract(connection, subject_id)
