"""Themes are data, and everything that is read in them can be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.app import ComposeResult
from textual.color import Color
from textual.widget import Widget

from desk.widgets.actions import ActionApp
from desk.widgets.board import BoardView
from desk.widgets.footer import KeyFooter
from desk.widgets.safe import GuardedApp
from desk.widgets.status_line import StatusLine
from desk.widgets.theming import (
    DARK,
    LIGHT,
    BadTheme,
    other_theme,
    read_theme,
    shipped_themes,
    use_themes,
)

READABLE = 4.5
#: Marks and rules, which are looked at and not read (WCAG 2.1, 1.4.11).
VISIBLE = 3.0
#: Repeats what position or another sign says already.
DECORATION = {"board--rule", "board--track", "board--thumb", "board--ghost", "board--edge"}
MARKS = {"board--cursor-edge", "board--rule-here"}
#: What is not possible now is outside WCAG's requirement, but stays visible.
SWITCHED_OFF = {"footer--key-off", "footer--title-off"}


class ThemedApp(GuardedApp, ActionApp):
    def __init__(self, theme: str) -> None:
        super().__init__()
        use_themes(self, theme)

    def compose(self) -> ComposeResult:
        yield BoardView()
        yield StatusLine()
        yield KeyFooter()


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2.1."""

    def luminance(colour: Color) -> float:
        parts = [part / 255 for part in colour.rgb]
        red, green, blue = (
            part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def parts(widget: Widget) -> list[tuple[str, float]]:
    """Each part of a widget with the contrast of its text."""
    found: list[tuple[str, float]] = []
    for part in sorted(type(widget).COMPONENT_CLASSES):
        style = widget.get_component_rich_style(part)
        if part.startswith(("board", "status", "footer")) and style.color and style.bgcolor:
            pair = (Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor))
            found.append((part, contrast(*pair)))
    return found


def needed(part: str) -> float:
    if part in DECORATION:
        return 1.0
    return VISIBLE if part in MARKS | SWITCHED_OFF else READABLE


@pytest.mark.parametrize("theme", [DARK, LIGHT])
async def test_text_has_the_contrast_of_wcag_aa(theme: str) -> None:
    app = ThemedApp(theme)
    async with app.run_test():
        for kind in (BoardView, StatusLine, KeyFooter):
            for part, ratio in parts(app.query_one(kind)):
                assert ratio >= needed(part), f"{part}: {ratio:.2f}"


@pytest.mark.parametrize("theme", shipped_themes(), ids=lambda theme: theme.name)
def test_words_of_every_colour_are_readable_on_every_ground(theme) -> None:
    variables = theme.to_color_system().generate()
    grounds = [variables[name] for name in ("background", "surface", "panel")]
    inks = ["foreground", *(f"text-{name}" for name in ("muted", "primary", "accent", "success"))]
    inks += ["text-warning", "text-error"]
    for ink in inks:
        for ground in grounds:
            ratio = contrast(Color.parse(variables[ink]), Color.parse(ground))
            assert ratio >= READABLE, f"{ink} on {ground}: {ratio:.2f}"
    cursor = contrast(
        Color.parse(variables["block-cursor-foreground"]),
        Color.parse(variables["block-cursor-background"]),
    )
    assert cursor >= READABLE


def test_there_is_a_dark_and_a_light_theme() -> None:
    themes = {theme.name: theme.dark for theme in shipped_themes()}
    assert themes[DARK] is True
    assert themes[LIGHT] is False
    assert other_theme(DARK) == LIGHT
    assert other_theme(LIGHT) == DARK


def test_an_unknown_theme_gives_the_dark_one() -> None:
    assert ThemedApp("nosuch").theme == DARK


@pytest.mark.parametrize(
    "content", ["name = ", 'name = "x"', '[colors]\nprimary = "#fff"', 'name="x"\n[colors]\nx="y"']
)
def test_a_broken_theme_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadTheme, match=r"own\.toml: "):
        read_theme(path)
