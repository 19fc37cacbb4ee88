"""Acts, extracts and copies for a person on paper: PDF with Cyrillic letters, and CSV.

Nothing here reads the database: what stands on the paper is passed in.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import msgspec

from desk.domain.spreadsheet import neutral

_FONTS = Path(__file__).resolve().parent / "fonts"
_FONT = "DejaVu"
_SIZE, _HEADING = 10, 14
_MARGIN, _LINE = 18, 5.5
_LABEL_WIDTH = 58


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Facts under a heading, each with its label, and then a table."""

    title: str = ""
    facts: Sequence[tuple[str, str]] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    #: How wide the columns are beside each other.
    widths: Sequence[int] = ()


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A document: its title, what stands in it, and who signs it ("" is nobody)."""

    title: str
    subtitle: str = ""
    sections: Sequence[Section]
    signature: str = ""
    made_at: int
    page: str = "{page} / {pages}"


def pdf(paper: Paper) -> bytes:
    """The document as PDF."""
    sheet = _Sheet(paper)
    sheet.text(paper.title, _HEADING, bold=True, centred=True)
    if paper.subtitle:
        sheet.text(paper.subtitle, _SIZE, centred=True)
    for section in paper.sections:
        sheet.space(3)
        if section.title:
            sheet.text(section.title, _SIZE + 1, bold=True)
        for label, value in section.facts:
            sheet.fact(label, value)
        if section.columns:
            sheet.table(section)
    if paper.signature:
        sheet.space(12)
        sheet.text(paper.signature, _SIZE)
    return sheet.bytes()


def table_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as CSV that a Russian spreadsheet opens as it stands; nothing in it is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([neutral(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def moment(at: int, zone: tzinfo) -> str:
    """A moment (ms) as it stands on paper."""
    return datetime.fromtimestamp(at / 1000, zone).strftime("%d.%m.%Y %H:%M:%S")


class _Sheet:
    """Pages that are being written."""

    def __init__(self, paper: Paper) -> None:
        from fpdf import FPDF

        class Pages(FPDF):
            def footer(self) -> None:
                self.set_y(-12)
                self.set_font(_FONT, "", 8)
                said = paper.page.format(page=self.page_no(), pages="{nb}")
                self.cell(0, 5, said, align="C")

        self._pdf = pdf = Pages(format="A4")
        # Its metadata must say no more than the page does.
        pdf.set_creation_date(datetime.fromtimestamp(paper.made_at / 1000, UTC))
        pdf.set_producer("Desk")
        pdf.set_margin(_MARGIN)
        pdf.set_auto_page_break(True, margin=_MARGIN)
        pdf.add_font(_FONT, "", _FONTS / "DejaVuSans.ttf")
        pdf.add_font(_FONT, "B", _FONTS / "DejaVuSans-Bold.ttf")
        pdf.add_page()

    def bytes(self) -> bytes:
        return bytes(self._pdf.output())

    def space(self, height: float) -> None:
        self._pdf.ln(height)

    def text(self, text: str, size: int, *, bold: bool = False, centred: bool = False) -> None:
        self._pdf.set_font(_FONT, "B" if bold else "", size)
        self._write(0, text, "C" if centred else "L", size * 0.55)

    def fact(self, label: str, value: str) -> None:
        """A label with what it says beside it."""
        pdf = self._pdf
        if pdf.will_page_break(_LINE * 2):
            pdf.add_page()
        top, page = pdf.get_y(), pdf.page
        pdf.set_font(_FONT, "B", _SIZE - 1)
        self._write(_LABEL_WIDTH, label, "L", _LINE)
        under_label = pdf.get_y()
        pdf.set_xy(_MARGIN + _LABEL_WIDTH + 2, top)
        pdf.set_font(_FONT, "", _SIZE)
        self._write(0, value or "—", "L", _LINE)
        if pdf.page == page:
            pdf.set_y(max(pdf.get_y(), under_label) + 1)

    def table(self, section: Section) -> None:
        from fpdf.fonts import FontFace

        self._pdf.set_font(_FONT, "", _SIZE - 3)
        with self._pdf.table(
            col_widths=tuple(section.widths) or None,
            line_height=4,
            text_align="LEFT",
            headings_style=FontFace(emphasis="BOLD"),
        ) as table:
            for values in (section.columns, *section.rows):
                row = table.row()
                for value in values:
                    row.cell(_plain(value))

    def _write(self, width: float, text: str, align: str, height: float) -> None:
        self._pdf.multi_cell(
            width, height, _plain(text), align=align, new_x="LMARGIN", new_y="NEXT"
        )


def _plain(text: str) -> str:
    """The text without what the font has no letters for; they would be empty boxes."""
    return "".join(mark if mark in "\n" or mark.isprintable() else " " for mark in text)
