"""Setting a hub up."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import select

from desk.domain.ids import is_id
from desk.domain.playbook_check import PlaybookError
from desk.hub import changes
from desk.hub.database import Database
from desk.hub.errors import SetupError
from desk.hub.passwords import matches
from desk.hub.playbooks import current
from desk.hub.server import serve
from desk.hub.setup import add_user, init
from desk.schema import hub_tables as t
from tests.hub.hubs import FREIGHT, START, Hub


def test_a_new_hub_has_an_id_an_epoch_and_its_playbook(empty_url: str) -> None:
    with Database(empty_url) as database:
        hub = init(database, FREIGHT, now=START, random_bytes=random.Random(1).randbytes)
        assert is_id(hub)
        with database.read() as connection:
            head = changes.head(connection)
            assert is_id(head.epoch)
            assert (head.epoch, head.seq) != (hub, 1)
            assert current(connection).version == current(connection).playbook.version == 1
        with pytest.raises(SetupError) as refused:
            init(database, FREIGHT)
        assert refused.value.code == "already_set_up"


def test_a_broken_playbook_leaves_no_trace(empty_url: str) -> None:
    with Database(empty_url) as database:
        with pytest.raises(PlaybookError):
            init(database, "id = ", playbook_name="mine.toml")
        assert not database.is_set_up()


def test_a_user_comes_with_a_password_and_is_told_to_the_desks(hub: Hub) -> None:
    desk = hub.desk("head")
    desk.bootstrap()
    add_user(hub.database, "anna", name="Анна\x1b[0m", role="sales", password="secret")
    desk.pull()
    assert desk.rows["person"]["anna"].name == "Анна[0m"
    assert desk.rows == desk.fresh()
    with hub.database.read() as connection:
        mine = select(t.account.c.password_hash).where(t.account.c.user_id == "anna")
        assert matches(connection.execute(mine).scalar_one(), "secret")
    assert hub.sign_in("anna", "secret").status_code == 200


def test_a_user_that_cannot_be_added_is_refused(hub: Hub) -> None:
    for user, role, code in (
        ("head", "sales", "user_exists"),
        ("anna", "queen", "unknown_role"),
        ("Anna", "sales", "bad_user_name"),
        ("анна", "sales", "bad_user_name"),
        ("", "sales", "bad_user_name"),
        ("a" * 65, "sales", "bad_user_name"),
        ("anna\n", "sales", "bad_user_name"),
    ):
        with pytest.raises(SetupError) as refused:
            add_user(hub.database, user, name="Анна", role=role, password="x")
        assert refused.value.code == code


def test_nothing_is_served_from_a_database_without_a_hub(empty_url: str) -> None:
    with pytest.raises(SetupError) as refused:
        serve(empty_url, port=0)
    assert refused.value.code == "not_set_up"


def test_no_user_is_added_to_a_database_without_a_hub(empty_url: str) -> None:
    with Database(empty_url) as database, pytest.raises(SetupError) as refused:
        add_user(database, "anna", name="Анна", role="sales", password="x")
    assert refused.value.code == "not_set_up"
