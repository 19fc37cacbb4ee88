"""The hub's log tells what happened to whom, and nothing that a person said."""

from __future__ import annotations

import io
import json
import logging

import pytest

from desk.domain.operations import Comment
from desk.hub import logs, operations
from desk.hub.errors import HubProblem
from tests.hub.hubs import Hub, move, new_lead, qualification, sent, session

SECRETS = ("Анна", "+7912", "89123456789", "anna@example.com", "коммент", "horse", "Bearer")


@pytest.fixture
def log() -> io.StringIO:
    """The log of this test."""
    stream = io.StringIO()
    logs.to_stream(stream)
    return stream


def test_nothing_personal_is_logged(hub: Hub, log: io.StringIO) -> None:
    lead, card = qualification(hub, name="Анна", phone="89123456789", email="anna@example.com")
    marketer = hub.desk("marketer1")
    marketer.done(Comment(item_id=lead, text="комментарий"))
    marketer.do(move(card, "hand_off", to="Анна"), new_lead(title="", phone="+7912"))
    hub.sign_in("Анна", "wrong horse")
    hub.client.get("/v1/changes", params={"cursor": "Анна"})
    hub.client.get("/v1/Анна")

    def crashing(*_: object) -> None:
        raise RuntimeError("Анна +79123456789")

    with pytest.raises(HubProblem):
        operations.push(
            hub.database,
            session(hub, marketer),
            [sent(marketer.operation(new_lead(name="Анна")))],
            hub.clock,
            crashing,  # pyright: ignore[reportArgumentType]
        )
    text = log.getvalue()
    assert not [secret for secret in SECRETS if secret in text]
    lines = [json.loads(line) for line in text.splitlines()]
    assert {line["event"] for line in lines} == {"request", "operation", "operation_crashed"}
    crashed = next(line for line in lines if line["event"] == "operation_crashed")
    assert crashed["at"].startswith("RuntimeError in crashing:")
    assert crashed["user"] == "marketer1"


def test_what_libraries_say_of_errors_is_kept_short(log: io.StringIO) -> None:
    try:
        raise ValueError("Анна +79123456789")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request %s", "Анна")
    assert not [secret for secret in SECRETS if secret in log.getvalue()]
    assert "ValueError in test_what_libraries_say" in log.getvalue()
    assert "Invalid HTTP request" in log.getvalue()
