"""Keys of a Russian layout do what the Latin keys in their places do."""

from __future__ import annotations

import pytest
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.widgets import Input, Static, TextArea

from desk.widgets.keyboard import POSITIONS, PositionalApp, latin_key


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("о", "j"),
        ("О", "J"),
        ("х", "left_square_bracket"),
        ("Х", "left_curly_bracket"),
        ("ж", "semicolon"),
        ("ё", "grave_accent"),
        ("numero_sign", "number_sign"),
        ("ctrl+ы", "ctrl+s"),
        ("alt+ф", "alt+a"),
        ("ctrl+shift+я", "ctrl+shift+z"),
    ],
)
def test_a_cyrillic_key_has_a_latin_one_in_its_place(typed: str, meant: str) -> None:
    assert latin_key(typed) == meant


@pytest.mark.parametrize("key", ["j", "J", "ctrl+s", "enter", "f1", "full_stop", "1", "ctrl+1"])
def test_other_keys_are_left_alone(key: str) -> None:
    assert latin_key(key) is None


def test_every_letter_of_the_russian_alphabet_has_its_place() -> None:
    alphabet = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
    assert set(alphabet + alphabet.upper()) <= POSITIONS.keys()
    assert len(set(POSITIONS.values())) == len(POSITIONS)


class KeysApp(PositionalApp):
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    BINDINGS: list[BindingType] = [  # noqa: RUF012 - Textual's own form
        Binding("j", "note('j')"),
        Binding("J", "note('J')"),
        Binding("left_square_bracket", "note('[')"),
        Binding("ctrl+s", "note('ctrl+s')"),
        Binding("ctrl+g", "note('ctrl+g')", priority=True),
        Binding("alt+a", "note('alt+a')"),
        Binding("k", "note('k')", id="keep"),
        Binding("д", "note('explicit')"),
        Binding("l", "note('l')"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[str] = []

    def compose(self) -> ComposeResult:
        yield Static("", id="still")
        yield Input()
        yield TextArea()

    def action_note(self, what: str) -> None:
        self.noted.append(what)


async def test_bindings_fire_by_position() -> None:
    app = KeysApp()
    async with app.run_test() as pilot:
        await pilot.press("о", "О", "х", "ctrl+ы", "ctrl+п", "alt+ф")
        assert app.noted == ["j", "J", "[", "ctrl+s", "ctrl+g", "alt+a"]


async def test_latin_keys_fire_as_ever() -> None:
    app = KeysApp()
    async with app.run_test() as pilot:
        await pilot.press("j", "J", "ctrl+s")
        assert app.noted == ["j", "J", "ctrl+s"]


@pytest.mark.parametrize("kind", [Input, TextArea])
async def test_typing_stays_russian_while_commands_work(kind: type[Input | TextArea]) -> None:
    app = KeysApp()
    async with app.run_test() as pilot:
        field = app.query_one(kind)
        field.focus()
        await pilot.press("о", "О", "х", "ctrl+п")
        assert (field.value if isinstance(field, Input) else field.text) == "оОх"
        assert app.noted == ["ctrl+g"]


async def test_what_follows_a_tab_in_one_burst_is_typed_into_the_next_field() -> None:
    app = KeysApp()
    async with app.run_test() as pilot:
        field, area = app.query_one(Input), app.query_one(TextArea)
        field.focus()
        await pilot.pause()
        burst = [*"abc", "tab", *"def"]
        for name in burst:
            app.post_message(Key(name, name if len(name) == 1 else None))
        await pilot.pause(0.1)
        assert (field.value, area.text) == ("abc", "def")


async def test_a_binding_of_the_cyrillic_key_itself_wins() -> None:
    app = KeysApp()
    async with app.run_test() as pilot:
        await pilot.press("д")
        assert app.noted == ["explicit"]


async def test_a_key_chosen_by_the_person_wins_over_its_position() -> None:
    app = KeysApp()
    app.set_keymap({"keep": "о"})
    async with app.run_test() as pilot:
        await pilot.press("о", "j")
        assert app.noted == ["k", "j"]
