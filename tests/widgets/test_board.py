"""The board as a person meets it: what it shows, and what keys and mouse do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.app import ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot
from textual.strip import Strip

from desk import text
from desk.widgets.actions import ActionApp
from desk.widgets.board import BoardView
from desk.widgets.board_model import Names
from desk.widgets.keyboard import PositionalApp
from desk.widgets.safe import GuardedApp
from desk.widgets.theming import LIGHT, use_themes
from tests.widgets.boards import HOUR, NOW, MemoryBoard, card

SOURCES: dict[str | None, str] = {"site": "Web site"}
PEOPLE: dict[str | None, str] = {"marketer1": "Ирина Петрова", None: "being assigned"}


class BoardApp(GuardedApp, PositionalApp, ActionApp):
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, board: MemoryBoard | None = None) -> None:
        super().__init__()
        use_themes(self)
        self.board = board
        self.told: list[object] = []

    def compose(self) -> ComposeResult:
        yield BoardView(
            Names(lambda source: SOURCES.get(source, "?"), lambda user: PEOPLE.get(user, "?")),
            now=lambda: NOW,
        )

    def on_mount(self) -> None:
        self.view.focus()
        if self.board:
            self.view.show(self.board)

    @property
    def view(self) -> BoardView:
        return self.query_one(BoardView)

    def on_board_view_opened(self, event: BoardView.Opened) -> None:
        self.told.append(("opened", event.id))

    def on_board_view_selected(self, event: BoardView.Selected) -> None:
        self.told.append(("selected", event.id))

    def on_board_view_move_asked(self, event: BoardView.MoveAsked) -> None:
        self.told.append(("move", event.id, event.direction))


def lines_of(app: BoardApp) -> list[str]:
    return [app.view.render_line(y).text for y in range(app.view.size.height)]


def screen_of(app: BoardApp) -> str:
    return "\n".join(lines_of(app))


async def test_a_card_tells_title_source_age_score_and_responsible() -> None:
    board = MemoryBoard((1,))
    row = card("0-0000", pending=True, round=2, due_at=NOW - HOUR)
    board.put(row, 0)
    app = BoardApp(board)
    async with app.run_test(size=(80, 24)):
        title, origin, person = (line.split("│")[0] for line in lines_of(app)[2:5])
        assert "Cargo 0-0000" in title
        assert "●" in title
        assert "Web site · 2h" in origin
        assert "↻2" in origin
        assert "★42 · Ирина Петрова" in person
        assert "‼ 1h" in person


async def test_a_card_whose_title_is_erased_says_so() -> None:
    board = MemoryBoard((1,))
    board.put(card("0-0000", title=""), 0)
    app = BoardApp(board)
    async with app.run_test(size=(80, 24)):
        assert "(no title)" in lines_of(app)[2]


async def test_a_deadline_ahead_is_marked_otherwise_than_one_missed() -> None:
    board = MemoryBoard((0,))
    board.put(card("0-0000", due_at=NOW + HOUR), 0)
    app = BoardApp(board)
    async with app.run_test(size=(80, 24)):
        assert "◷ 1h" in screen_of(app)


async def test_columns_have_their_titles_and_counts_as_the_locale_writes_them() -> None:
    text.use("ru")
    app = BoardApp(MemoryBoard((1234, 3)))
    async with app.run_test(size=(80, 24)):
        assert "1\xa0234" in lines_of(app)[0]


async def test_80_columns_show_three_stages_and_how_many_there_are_beyond() -> None:
    app = BoardApp(MemoryBoard())
    async with app.run_test(size=(80, 24)) as pilot:
        assert all(title in lines_of(app)[0] for title in ("New", "Contact", "Qualified", "2 »"))
        await pilot.press("l", "l", "l")
        header = lines_of(app)[0]
        assert "« 1" in header
        assert "1 »" in header
        assert "▸ Handed off" in header


async def test_200_columns_show_all_stages() -> None:
    app = BoardApp(MemoryBoard())
    async with app.run_test(size=(200, 60)):
        header = lines_of(app)[0]
        assert "Refused" in header
        assert "»" not in header


async def test_every_line_is_as_wide_as_the_board() -> None:
    board = MemoryBoard((40, 3, 0))
    board.put(card("0-0001", title="漢字 👨‍👩‍👧 e\u0301 \x1b[31m" * 5), 0)
    for width in (17, 24, 47, 80, 131):
        app = BoardApp(board)
        async with app.run_test(size=(width, 24)):
            assert {app.view.render_line(y).cell_length for y in range(24)} == {width}


@pytest.mark.parametrize(
    ("keys", "cursor"),
    [
        ("j", (0, 1)),
        ("down down k", (0, 1)),
        ("G", (0, 39)),
        ("end home", (0, 0)),
        ("l", (1, 0)),
        ("right left", (0, 0)),
        ("h k", (0, 0)),
        ("j j l", (1, 2)),
        ("j j j l", (1, 2)),
        ("l l", (2, 0)),
        ("pagedown", (0, 7)),
        ("pagedown pagedown pageup", (0, 7)),
        ("о о л", (0, 1)),
        ("П", (0, 39)),
    ],
)
async def test_keys_move_the_cursor(keys: str, cursor: tuple[int, int]) -> None:
    app = BoardApp(MemoryBoard((40, 3, 0)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*keys.split())
        assert app.view.cursor == cursor


async def test_the_screen_is_told_what_the_person_asks_for() -> None:
    app = BoardApp(MemoryBoard())
    async with app.run_test(size=(80, 24)) as pilot:
        app.told.clear()
        await pilot.press("j", "enter", "L", "H", "shift+right")
        assert app.told == [
            ("selected", "0-0001"),
            ("opened", "0-0001"),
            ("move", "0-0001", 1),
            ("move", "0-0001", -1),
            ("move", "0-0001", 1),
        ]


async def test_an_empty_column_says_so_and_why_there_is_nothing_to_open() -> None:
    app = BoardApp(MemoryBoard((0, 1)))
    async with app.run_test(size=(80, 24)) as pilot:
        assert "No cards here" in screen_of(app)
        await pilot.press("left", "enter")
        assert ("opened", "1-0000") not in app.told
        assert [notice.message for notice in app._notifications] == [
            "There is no card under the cursor"
        ]


async def test_a_click_selects_and_a_double_click_opens() -> None:
    app = BoardApp(MemoryBoard())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click(BoardView, offset=(30, 6))
        assert app.view.cursor == (1, 1)
        assert ("opened", "1-0001") not in app.told
        await pilot.click(BoardView, offset=(30, 6), times=2)
        assert ("opened", "1-0001") in app.told


async def test_the_wheel_scrolls_the_column_under_the_pointer() -> None:
    app = BoardApp(MemoryBoard((40, 40)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot._post_mouse_events([_wheel_down()], BoardView, offset=(60, 10))
        await pilot.pause()
        top = lines_of(app)[2]
        assert "Cargo 0-0000" in top
        assert "Cargo 1-0001" in top
        assert app.view.cursor == (0, 0)


def _wheel_down() -> type:
    from textual.events import MouseScrollDown

    return MouseScrollDown


async def test_a_column_longer_than_the_screen_shows_where_one_is() -> None:
    app = BoardApp(MemoryBoard((40, 2)))
    async with app.run_test(size=(80, 24)) as pilot:
        assert lines_of(app)[2][39] == "┃"
        assert lines_of(app)[-1][39] == "│"
        await pilot.press("G")
        assert lines_of(app)[2][39] == "│"
        assert lines_of(app)[-1][39] == "┃"


async def test_a_skeleton_is_shown_until_the_board_is_loaded() -> None:
    app = BoardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        assert "━━━" in screen_of(app)
        board = MemoryBoard()
        app.view.show_loading(board)
        await pilot.press("j", "enter")
        assert "New" in lines_of(app)[0]
        assert "…" in lines_of(app)[0]
        assert "Cargo" not in screen_of(app)
        app.view.show(board)
        assert "Cargo 0-0000" in screen_of(app)


async def test_a_filter_that_hides_everything_says_so() -> None:
    app = BoardApp()
    async with app.run_test(size=(80, 24)):
        app.view.show(MemoryBoard((0, 0, 0)), filtered=True)
        assert "Nothing matches the filter" in screen_of(app)


async def test_an_incoming_change_leaves_the_cursor_on_its_card() -> None:
    board = MemoryBoard()
    app = BoardApp(board)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "j")
        app.told.clear()
        app.view.changed(board.put(card("0-0000-1", title="Newcomer"), 0))
        await pilot.pause()
        assert app.view.selected_id == "0-0002"
        assert app.told == []
        assert "Newcomer" in screen_of(app)


async def test_a_changed_card_is_shown_anew() -> None:
    board = MemoryBoard()
    app = BoardApp(board)
    async with app.run_test(size=(80, 24)):
        assert "Cargo 0-0001" in screen_of(app)
        app.view.changed(board.put(card("0-0001", title="Renamed", version=2), 0))
        assert "Renamed" in screen_of(app)


async def test_a_board_loaded_anew_keeps_the_cursor_on_its_card() -> None:
    app = BoardApp(MemoryBoard())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "j", "j")
        other = MemoryBoard((2, 9))
        other.put(other.rows["0-0001"], 1)
        app.view.show(other)
        assert app.view.cursor == (0, 0)
        app.view.select("0-0001")
        app.view.show(MemoryBoard((5, 5)))
        assert app.view.selected_id == "0-0001"


async def test_only_the_cards_on_the_screen_are_read() -> None:
    board = MemoryBoard((5000, 5000))
    app = BoardApp(board)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "l", "j")
        assert len(set(board.asked)) < 30


async def test_a_cursor_key_repaints_two_cards_and_lays_nothing_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = BoardApp(MemoryBoard())
    async with app.run_test(size=(80, 24)) as pilot:
        await _painted(pilot)
        dirty: list[Region] = []
        layouts: list[bool] = []
        _spy_on(app.view, monkeypatch, dirty)
        monkeypatch.setattr(
            app.screen, "_refresh_layout", lambda *_args, **_kwargs: layouts.append(True)
        )
        await pilot.press("j")
        assert {(region.y, region.height) for region in dirty} == {(2, 3), (5, 3)}
        assert {region.width for region in dirty} == {27}
        dirty.clear()
        await pilot.press("l")
        assert all(region.height <= 3 for region in dirty)
        assert layouts == []


async def _painted(pilot: Pilot[None]) -> None:
    """Wait until the first layout and painting are over."""
    screen = pilot.app.screen
    while screen._layout_required or screen._dirty_widgets or screen._compositor._dirty_regions:
        await pilot.pause()


def _spy_on(view: BoardView, monkeypatch: pytest.MonkeyPatch, dirty: list[Region]) -> None:
    refresh: Callable[..., BoardView] = view.refresh

    def spy(*regions: Region, **how: bool) -> BoardView:
        dirty.extend(regions)
        return refresh(*regions, **how)

    monkeypatch.setattr(view, "refresh", spy)


async def test_the_selected_card_stands_out_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = BoardApp(MemoryBoard())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert lines_of(app)[2].startswith("▌")
        assert lines_of(app)[5].startswith("▎")
        colours = {
            colour.triplet
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style
            for colour in (segment.style.color, segment.style.bgcolor)
            if colour is not None and colour.triplet is not None
        }
        assert all(red == green == blue for red, green, blue in colours)


async def test_another_theme_repaints_the_board() -> None:
    app = BoardApp(MemoryBoard())
    async with app.run_test(size=(80, 24)) as pilot:
        dark = [segment.style for segment in app.view.render_line(2)]
        app.theme = LIGHT
        await pilot.pause()
        assert [segment.style for segment in app.view.render_line(2)] != dark


async def test_a_smaller_terminal_keeps_the_cursor_in_view() -> None:
    app = BoardApp(MemoryBoard((40, 40, 40, 40, 40)))
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.press("l", "l", "l", "l", *["j"] * 12)
        await _shrink(pilot)
        assert "▸ Refused" in lines_of(app)[0]
        assert any("Cargo 4-0012" in line for line in lines_of(app))


async def _shrink(pilot: Pilot[None]) -> None:
    await pilot.resize_terminal(60, 16)
    await pilot.pause()


@pytest.mark.parametrize("loaded", [True, False])
async def test_a_part_of_the_board_is_that_part_of_the_whole(loaded: bool) -> None:
    """What is painted for a region is what Textual would cut out of whole lines."""
    app = BoardApp(MemoryBoard((30, 3, 0, 1, 200)) if loaded else None)
    async with app.run_test(size=(97, 30)) as pilot:
        await pilot.press("j", "j", "l")
        whole = app.view.size.region
        expected = app.view._styles_cache.render_widget(app.view, whole)
        for crop in (whole, Region(0, 0, 97, 2), Region(24, 2, 24, 20), Region(5, 7, 50, 3)):
            painted = app.view.render_lines(crop)
            cut = [line.crop(crop.x, crop.right) for line in expected[crop.y : crop.bottom]]
            assert [_cells_of(line) for line in painted] == [_cells_of(line) for line in cut]


def _cells_of(strip: Strip) -> list[tuple[str, object]]:
    """Each character with its colours, however it is parted into segments."""
    return [
        (character, style and (style.color, style.bgcolor, style.bold, style.italic, style.reverse))
        for text_, style, _control in strip
        for character in text_
    ]
