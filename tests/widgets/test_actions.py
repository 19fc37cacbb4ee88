"""One registry of actions feeds bindings, footer, help and cheat-sheets."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from textual.app import ComposeResult
from textual.widgets import Static

from desk import text
from desk.widgets.actions import (
    ACTIONS,
    GROUPS,
    Acting,
    ActionApp,
    bind,
    bindings,
    live,
)
from desk.widgets.cheatsheet import cheatsheet
from desk.widgets.keynames import TOGETHER, clashes, keys_of, read_keys, show_key
from desk.widgets.safe import GuardedApp

# Typed with other keys on a Russian layout, so nothing may hang on them alone.
TRAPS = {
    "slash",
    "question_mark",
    "left_square_bracket",
    "right_square_bracket",
    "semicolon",
    "apostrophe",
    "comma",
    "full_stop",
}


def test_every_action_has_its_own_id_a_group_and_words() -> None:
    ids = [action.id for action in ACTIONS]
    assert len(ids) == len(set(ids))
    assert {action.group for action in ACTIONS} == set(GROUPS)
    assert all(action.title and action.help.endswith(".") for action in ACTIONS)
    assert set(GROUPS) == {group for groups in TOGETHER for group in groups}


def test_no_two_actions_met_together_share_a_key() -> None:
    assert list(clashes({})) == []


def test_nothing_is_reachable_only_by_a_key_that_a_russian_layout_moves() -> None:
    for action in ACTIONS:
        assert set(keys_of(action, {})) - TRAPS, action.id


def test_help_and_search_have_function_keys() -> None:
    keys = {action.id: keys_of(action, {}) for action in ACTIONS}
    assert "f1" in keys["app.help"]
    assert "f3" in keys["app.search"]


def test_an_unknown_group_of_bindings_is_refused() -> None:
    with pytest.raises(ValueError, match="nosuch"):
        bindings("nosuch")


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("ctrl+s", "Ctrl+S"),
        ("left", "←"),
        ("enter", "Enter"),
        ("escape", "Esc"),
        ("H", "H"),
        ("f10", "F10"),
        ("question_mark", "?"),
        ("shift+left", "Shift+←"),
        ("slash", "/"),
        ("ф", "ф"),
    ],
)
def test_keys_are_shown_as_they_are_written(key: str, shown: str) -> None:
    assert show_key(key) == shown


# A person's own keys


def keys_file(folder: Path, content: str) -> Path:
    path = folder / "keys.toml"
    path.write_text(content, encoding="utf-8")
    return path


def test_a_file_of_keys_may_be_flat_or_in_sections(tmp_path: Path) -> None:
    path = keys_file(tmp_path, '"cards.open" = "o,enter"\n[board]\nfilter = "f7"\n')
    assert read_keys(path) == ({"cards.open": "o,enter", "board.filter": "f7"}, "")


def test_without_a_file_the_usual_keys_are_in_use(tmp_path: Path) -> None:
    assert read_keys(tmp_path / "keys.toml") == ({}, "")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("cards.open = ", "keys.toml: Invalid value"),
        ('"cards.fly" = "f7"', "there is no action “cards.fly”"),
        ('"cards.open" = 7', "“cards.open” takes keys in quotes"),
        ('"cards.open" = ""', "“cards.open” takes keys in quotes"),
        ('"cards.open" = "hyperdrive"', "there is no key “hyperdrive”"),
        ('"cards.open" = "warp+o"', "there is no key “warp+o”"),
        ('"cards.open" = "n"', "“cards.open” and “board.new” have the same key n"),
        ("\xff", "keys.toml: "),
    ],
)
def test_a_wrong_file_is_said_in_a_line_and_changes_nothing(
    tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "keys.toml"
    path.write_bytes(content.encode("latin-1" if content == "\xff" else "utf-8"))
    keymap, problem = read_keys(path)
    assert keymap == {}
    assert said in problem
    assert problem.endswith("The usual keys are in use.")
    assert "\n" not in problem


# On the screen


class Place(Acting, Static, can_focus=True):
    ACTION_GROUPS = ("cards",)
    BINDINGS = bindings("cards")
    done: ClassVar[list[str]] = []

    def why_not(self, action: str) -> str | None:
        return "Nothing [b]here" if action == "cards.move_left" else None

    def action_open(self) -> None:
        self.done.append("open")

    def action_move_left(self) -> None:
        self.done.append("move_left")

    def action_offered(self) -> None:
        self.done.append("offered")


class PlaceApp(GuardedApp, ActionApp):
    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        Place.done.clear()
        yield Place()

    def on_mount(self) -> None:
        self.query_one(Place).focus()

    @property
    def said(self) -> list[str]:
        return [notice.message for notice in self._notifications]


async def test_a_key_carries_out_its_action() -> None:
    app = PlaceApp()
    async with app.run_test() as pilot:
        await pilot.press("enter", "e")
        assert Place.done == ["open", "open"]


async def test_what_is_not_possible_says_why_and_stays_visible() -> None:
    app = PlaceApp()
    async with app.run_test() as pilot:
        await pilot.press("H")
        assert Place.done == []
        assert app.said == ["Nothing [b]here"]
        reasons = {one.id: one.reason for one in live(app.screen)}
        assert reasons["cards.move_left"] == "Nothing [b]here"
        assert reasons["cards.open"] is None


async def test_remapped_keys_work_and_show_everywhere(tmp_path: Path) -> None:
    app = PlaceApp()
    async with app.run_test() as pilot:
        app.use_keys(keys_file(tmp_path, '"cards.open" = "f7,o"'))
        await pilot.press("enter", "f7", "o")
        assert Place.done == ["open", "open"]
        keys = {one.id: one.keys for one in live(app.screen)}
        assert keys["cards.open"] == ("f7", "o")
    assert "| `F7`, `o` | Open |" in cheatsheet({"cards.open": "f7,o"})


async def test_a_wrong_file_of_keys_is_told_and_the_usual_keys_work(tmp_path: Path) -> None:
    app = PlaceApp()
    async with app.run_test() as pilot:
        app.use_keys(keys_file(tmp_path, "nonsense"))
        await pilot.press("enter")
        assert Place.done == ["open"]
        assert app.said[0].startswith("keys.toml: ")


async def test_what_a_playbook_offers_is_bound_on_one_node() -> None:
    app = PlaceApp()
    async with app.run_test() as pilot:
        place = app.query_one(Place)
        bind(place, "x", "offered", "Hand off", "Give it to sales.")
        await pilot.press("x")
        assert Place.done == ["offered"]
        (offered,) = [one for one in live(app.screen) if one.id is None and one.title == "Hand off"]
        assert offered.keys == ("x",)
        assert "x" not in Place._merged_bindings.key_to_bindings  # pyright: ignore


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_cheat_sheet_has_every_action(language: str) -> None:
    text.use(language)
    sheet = cheatsheet()
    assert sheet.count("\n| `") == len(ACTIONS)
    assert ("Справка" if language == "ru" else "Help") in sheet
