"""A look at what is masked, and a call: what the desk asks of the hub, and does without it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select

from desk.domain.journal import Access
from desk.protocol.journal import Call, Reveal
from desk.schema.desk_tables import journal
from desk.screens import preferences
from desk.services import looks
from desk.services.desk import Desk
from desk.services.errors import (
    DialerFailed,
    LookRefused,
    NeedsHub,
    NoDialer,
    Refused,
    TooOften,
)
from tests.services.rooms import a_lead, a_page, a_subject, furnish, open_desk, ticking
from tests.services.test_secrecy import decrypted

MASKED = "+7••••••••67"
PHONE = "+79161234567"
LEAD = a_lead(1, shared_with="sales1")


class Hub:
    """Answers looks and calls as it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.answers: dict[str, Any] = {
            "/v1/pd/reveal": {"values": {"subject.phone": PHONE}},
            "/v1/pd/call": {"number": PHONE},
        }
        self.status = 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.status == 0:
            raise httpx.ConnectError("away", request=request)
        self.asked.append((request.url.path, request.content))
        return httpx.Response(self.status, json=self.answers[request.url.path])

    def refuses(self, status: int, code: str) -> None:
        self.status = status
        self.answers = {path: {"code": code, "args": {}} for path in self.answers}


Sit = Callable[..., Desk]


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def sit(tmp_path: Path, hub: Hub) -> Iterator[Sit]:
    """Sit down as a sales manager, who sees the phone masked, or a marketer, who sees it."""
    opened: list[Desk] = []

    def sit_down(user: str, **consents: Any) -> Desk:
        desk = open_desk(tmp_path / "desk", clock=ticking(), transport=httpx.MockTransport(hub))
        opened.append(desk)
        phone = MASKED if user == "sales1" else PHONE
        subject = msgspec.structs.replace(a_subject(LEAD, name="Иван", phone=phone), **consents)
        furnish(desk, a_page(items=[LEAD], subjects=[subject]), user)
        return desk

    yield sit_down
    for one in opened:
        one.close()


@pytest.fixture
def dialer(tmp_path: Path) -> tuple[tuple[str, ...], Callable[[], str]]:
    """A program that writes down its arguments and what it reads; and what it wrote."""
    told = tmp_path / "told.json"
    code = (
        "import json,sys,os;"
        f"p={str(told)!r};open(p+'.new','w').write(json.dumps([sys.argv[1:],sys.stdin.read()]));"
        "os.replace(p+'.new',p)"
    )

    def heard() -> str:
        arguments, number = json.loads(told.read_text())
        assert arguments == ["--line", "2"]
        return number

    return (sys.executable, "-c", code, "--line", "2"), heard


def noted(desk: Desk) -> list[Access]:
    with desk.context.store.read() as connection:
        bodies = connection.execute(select(journal.c.body)).scalars()
        return [msgspec.json.decode(body, type=Access) for body in bodies]


def wait_for(thing: Callable[[], str]) -> str:
    """What another process writes in a moment."""
    import time

    for _ in range(400):
        try:
            return thing()
        except FileNotFoundError:
            time.sleep(0.01)
    raise AssertionError("nothing was written")


def test_a_look_is_asked_of_the_hub_and_leaves_nothing_here(sit: Sit, hub: Hub) -> None:
    desk = sit("sales1")
    card = desk.card(LEAD.id)
    assert looks.to_look_at(desk.playbook, "sales", card) == ["subject.phone"]
    values = desk.reveal(LEAD.id, ["subject.phone"], "processing")
    assert values == {"subject.phone": PHONE}
    ((path, body),) = hub.asked
    assert path == "/v1/pd/reveal"
    assert msgspec.json.decode(body, type=Reveal) == Reveal(
        item_id=LEAD.id, fields=["subject.phone"], purpose="processing"
    )
    subject = desk.card(LEAD.id).subject
    assert subject is not None
    assert subject.fields["phone"] == MASKED
    assert b"9161234567" not in decrypted(desk)


def test_what_is_masked_needs_the_hub(
    sit: Sit, hub: Hub, dialer: tuple[tuple[str, ...], Callable[[], str]]
) -> None:
    desk = sit("sales1")
    hub.status = 0
    with pytest.raises(NeedsHub):
        desk.reveal(LEAD.id, ["subject.phone"], "processing")
    with pytest.raises(NeedsHub):
        desk.call(dialer[0], LEAD.id, "subject.phone")
    desk.go_offline(True)
    with pytest.raises(NeedsHub):
        desk.reveal(LEAD.id, ["subject.phone"], "processing")
    assert noted(desk) == []


@pytest.mark.parametrize("code", sorted(LookRefused.reasons))
def test_what_the_hub_refuses_is_said_in_a_sentence(sit: Sit, hub: Hub, code: str) -> None:
    desk = sit("sales1")
    hub.refuses(409, code)
    with pytest.raises(LookRefused) as refused:
        desk.reveal(LEAD.id, ["subject.phone"], "processing")
    assert str(refused.value).endswith(".")


def test_whoever_looks_too_often_is_told_to_wait(sit: Sit, hub: Hub) -> None:
    desk = sit("sales1")
    hub.refuses(429, "too_often")
    with pytest.raises(TooOften):
        desk.reveal(LEAD.id, ["subject.phone"], "processing")


def test_a_masked_number_goes_to_the_dialler_alone_and_never_in_its_arguments(
    sit: Sit, hub: Hub, dialer: tuple[tuple[str, ...], Callable[[], str]]
) -> None:
    desk = sit("sales1")
    program, heard = dialer
    (number,) = looks.to_call(desk.playbook, "sales", desk.card(LEAD.id))
    assert number == ("subject.phone", 0, MASKED)
    calling = desk.call(program, LEAD.id, "subject.phone")
    assert calling.number == ""
    assert PHONE not in repr(calling)
    assert wait_for(heard) == f"{PHONE}\n"
    ((path, body),) = hub.asked
    assert path == "/v1/pd/call"
    assert msgspec.json.decode(body, type=Call) == Call(item_id=LEAD.id, field="subject.phone")


def test_a_masked_number_is_not_asked_for_without_a_dialler(sit: Sit, hub: Hub) -> None:
    desk = sit("sales1")
    with pytest.raises(NoDialer):
        desk.call((), LEAD.id, "subject.phone")
    assert hub.asked == []


def test_whoever_sees_the_number_is_given_it_where_there_is_no_dialler(sit: Sit, hub: Hub) -> None:
    desk = sit("marketer1")
    assert desk.call((), LEAD.id, "subject.phone").number == PHONE
    assert [path for path, _ in hub.asked] == ["/v1/pd/call"]
    assert noted(desk) == []


def test_while_the_hub_is_away_the_local_copy_answers_for_whoever_sees_the_number(
    sit: Sit, hub: Hub, dialer: tuple[tuple[str, ...], Callable[[], str]]
) -> None:
    desk = sit("marketer1")
    hub.status = 0
    desk.call(dialer[0], LEAD.id, "subject.phone")
    assert wait_for(dialer[1]) == f"{PHONE}\n"
    (entry,) = noted(desk)
    assert (entry.event, entry.item_id, entry.offline) == ("call", LEAD.id, True)
    assert entry.fields == ("subject.phone",)


def test_whoever_may_not_be_called_is_not_called_from_the_local_copy(sit: Sit, hub: Hub) -> None:
    desk = sit("marketer1", stage="erasure_requested")
    hub.status = 0
    with pytest.raises(Refused):
        desk.call(("true",), LEAD.id, "subject.phone")
    assert noted(desk) == []


def test_a_dialler_that_is_not_there_is_named(sit: Sit) -> None:
    desk = sit("sales1")
    with pytest.raises(DialerFailed) as failed:
        desk.call(("no-such-dialler",), LEAD.id, "subject.phone")
    assert failed.value.values == {"program": "no-such-dialler"}


def test_the_dialler_is_a_setting_that_other_settings_leave_alone(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('theme = "desk-dark"\ndial = ["C:\\\\звонок.exe", "--line", "2"]\n', "utf-8")
    chosen = preferences.load(tmp_path)
    assert chosen.dial == ("C:\\звонок.exe", "--line", "2")
    chosen.theme = "desk-light"
    preferences.save(tmp_path, chosen)
    assert preferences.load(tmp_path) == chosen
    for wrong in ('dial = "program"', "dial = []", 'dial = [""]'):
        file.write_text(wrong, "utf-8")
        assert preferences.load(tmp_path).dial == ()
