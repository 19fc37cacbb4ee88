"""What commands say of actions and refusals."""

from __future__ import annotations

from desk import text
from desk.commands import saying
from desk.domain.operations import Move
from desk.domain.playbook_loader import load
from desk.resources import playbooks_dir


def test_a_step_of_a_card_that_is_gone_is_called_by_its_title() -> None:
    text.use("en")
    book = load((playbooks_dir() / "freight.toml").read_text(encoding="utf-8"), "freight")
    move = Move(item_id="gone", transition="accept")
    assert saying.intent(book, None, move) == saying.intent(book, "qualification", move) == "Accept"
