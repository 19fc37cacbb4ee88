"""Keys work by their position on ЙЦУКЕН as they do on QWERTY.

With a Russian layout the key `j` sends «о». A Cyrillic key that nothing is bound to, and that is
not being typed into a field, becomes the Latin key in the same place. Alternate keys of the kitty
protocol, which would tell the same, are never asked for: Textual's parser raises on them.
"""

from __future__ import annotations

from textual.app import App
from textual.events import Event, Key

_CYRILLIC = "ёйцукенгшщзхъфывапролджэячсмитьбю"
_LATIN = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
_SHIFTED_CYRILLIC = _CYRILLIC.upper() + "№"
_SHIFTED_LATIN = '~QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>' + "#"

#: The Latin character on the key that types a Cyrillic one.
POSITIONS = dict(zip(_CYRILLIC + _SHIFTED_CYRILLIC, _LATIN + _SHIFTED_LATIN, strict=True))

# Textual's names of the characters that are not letters.
_NAMES = {
    "`": "grave_accent",
    "~": "tilde",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "{": "left_curly_bracket",
    "}": "right_curly_bracket",
    ";": "semicolon",
    ":": "colon",
    "'": "apostrophe",
    '"': "quotation_mark",
    ",": "comma",
    "<": "less_than_sign",
    ".": "full_stop",
    ">": "greater_than_sign",
    "#": "number_sign",
}
_NAMED = {"numero_sign": "№"}

_MOVES_OF_FOCUS = frozenset({"app.focus_next", "app.focus_previous"})


def latin_key(key: str) -> str | None:
    """The Latin key in the place of a Cyrillic `key` (`ctrl+ы` → `ctrl+s`); `None` for others."""
    modifiers, plus, base = key.rpartition("+")
    latin = POSITIONS.get(_NAMED.get(base, base))
    if latin is None:
        return None
    # With a modifier the terminal reports the letter, and Textual binds it, in lower case.
    return f"{modifiers}{plus}{_NAMES.get(latin, latin)}"


class PositionalApp(App[None]):
    """An application whose bindings are matched by the position of the key."""

    async def on_event(self, event: Event) -> None:
        """Dispatch `event`, a Cyrillic key as the Latin one in its place where that is meant."""
        if isinstance(event, Key) and not event.is_forwarded:
            event = self._by_position(event)
            move = self._move_of_focus(event)
            if move is not None:
                await self.run_action(move)
                return
        await super().on_event(event)

    def _move_of_focus(self, event: Key) -> str | None:
        """The action of a Tab, to be run before the next key is looked at.

        Textual lets it take the way through the widgets; what follows it in one burst (quick
        typing, a slow connection) would be typed into the field that was to be left.
        """
        bound = self.screen.active_bindings.get(event.key)
        if bound is None or bound.binding.action not in _MOVES_OF_FOCUS or not bound.enabled:
            return None
        focused = self.focused
        if focused is not None and focused.check_consume_key(event.key, event.character):
            return None
        return bound.binding.action

    def _by_position(self, event: Key) -> Key:
        latin = latin_key(event.key)
        if latin is None:
            return event
        modified = "+" in event.key
        focused = self.focused
        typed = focused is not None and focused.check_consume_key(event.key, event.character)
        if (typed and not modified) or event.key in self.screen.active_bindings:
            return event
        character = None if modified else POSITIONS[event.key if event.key in POSITIONS else "№"]
        translated = Key(latin, character)
        translated.set_sender(self)
        return translated
