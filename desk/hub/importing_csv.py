"""Reading a CSV: gzip by magic, encoding and delimiter found out, checked whole before use.

The first pass reads everything and keeps nothing, so that a truncated archive, mixed encodings or
an unclosed quote stop an import before its first row is written.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from desk.hub.importing_errors import ImportFailed

_DELIMITERS = (";", ",", "\t", "|")
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
#: Characters of one cell; a cell beyond it is an unclosed quote rather than a text.
CELL_LIMIT = 4 << 20
_LINE_LIMIT = 16 << 20
#: What stands for a byte that is no character of the encoding (``surrogateescape``).
_ESCAPED = range(0xDC80, 0xDD00)


class CsvShape(msgspec.Struct, frozen=True):
    """What the first pass found out: ``digest`` of the unpacked bytes, ``rows`` but the header."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    rows: int
    digest: bytes


class Row(msgspec.Struct, frozen=True):
    """One record: the line it ends on, its number from 1, its cells, and what is wrong with it."""

    line: int
    number: int
    cells: list[str]
    fault: str = ""


def inspect(
    path: Path, needed: Sequence[str], *, encoding: str = "", delimiter: str = "", mapping: str = ""
) -> CsvShape:
    """Read ``path`` once and describe it; raises `ImportFailed` when it cannot be imported.

    ``needed`` are the columns the mapping asks for, ``mapping`` its name for messages.
    """
    digest, found = _examine(path, encoding)
    header = _read_header(path, found)
    sign = delimiter or _likeliest(header, needed)
    names = _names(header, sign)
    missing = [name for name in needed if name not in names]
    if missing:
        raise ImportFailed(
            "no_columns",
            file=path.name,
            columns=", ".join(missing),
            delimiter="\\t" if sign == "\t" else sign,
            found=", ".join(name[:40] for name in names[:30]),
            map=mapping,
        )
    twice = next((name for name in needed if names.count(name) > 1), None)
    if twice:
        raise ImportFailed("twice", file=path.name, column=twice)
    shape = CsvShape(found, sign, names, 0, digest)
    rows = sum(1 for _row in read_rows(path, shape))
    if not rows:
        raise ImportFailed("empty", file=path.name)
    return msgspec.structs.replace(shape, rows=rows)


def read_rows(path: Path, shape: CsvShape) -> Iterator[Row]:
    """The records of ``path`` in order, blank lines left out."""
    before = csv.field_size_limit(CELL_LIMIT)
    try:
        with _open_text(path, shape.encoding) as stream:
            yield from _rows(path, stream, shape)
    finally:
        csv.field_size_limit(before)


def _rows(path: Path, stream: io.TextIOBase, shape: CsvShape) -> Iterator[Row]:
    reader = csv.reader(stream, delimiter=shape.delimiter, strict=False)
    width = len(shape.header)
    number = 0
    header = True
    try:
        for cells in reader:
            if not cells or cells == [""]:
                continue
            if header:
                header = False
                continue
            number += 1
            yield Row(reader.line_num, number, cells, _fault(cells, width))
    except csv.Error as error:
        raise ImportFailed("csv", file=path.name, line=reader.line_num) from error


def _fault(cells: list[str], width: int) -> str:
    if len(cells) != width:
        return "width"
    text = "".join(cells)
    if text.isascii():
        return "nul" if "\0" in text else ""
    if "\0" in text:
        return "nul"
    return "encoding" if any(ord(letter) in _ESCAPED for letter in text) else ""


def _examine(path: Path, stated: str) -> tuple[bytes, str]:
    """The digest of the content and its encoding: UTF-8 where every line is, else cp1251."""
    digest = hashlib.sha256()
    good = first_bad = number = 0
    try:
        with _open_bytes(path) as stream:
            while line := stream.readline(_LINE_LIMIT):
                number += 1
                if number == 1:
                    _check_head(path, line)
                if len(line) == _LINE_LIMIT:
                    raise ImportFailed("csv", file=path.name, line=number)
                digest.update(line)
                if line.isascii():
                    continue
                if _is_utf8(line):
                    good += 1
                else:
                    first_bad = first_bad or number
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ImportFailed("broken_gzip", file=path.name) from error
    except OSError as error:
        raise ImportFailed("no_file", file=path.name) from error
    if good and first_bad and not stated:
        raise ImportFailed("mixed_encodings", file=path.name, line=first_bad)
    return digest.digest(), stated or ("cp1251" if first_bad else "utf-8")


def _check_head(path: Path, line: bytes) -> None:
    if line[:2] in _UTF16_MARKS:
        raise ImportFailed("utf16", file=path.name)
    if line.startswith(_ZIP):
        raise ImportFailed("spreadsheet", file=path.name)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _read_header(path: Path, encoding: str) -> str:
    with _open_text(path, encoding) as stream:
        for line in stream:
            if line.strip():
                return line.rstrip("\r\n")
    raise ImportFailed("empty", file=path.name)


def _likeliest(header: str, needed: Sequence[str]) -> str:
    """The delimiter under which the header has the most of the columns, then the most cells."""

    def fit(sign: str) -> tuple[int, int]:
        names = _names(header, sign)
        return sum(name in names for name in needed), len(names)

    return max(_DELIMITERS, key=fit)


def _names(header: str, delimiter: str) -> tuple[str, ...]:
    return tuple(name.strip() for row in csv.reader([header], delimiter=delimiter) for name in row)


def _open_bytes(path: Path) -> BinaryIO:
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == _GZIP
        return cast("BinaryIO", gzip.open(path, "rb")) if packed else path.open("rb")
    except OSError as error:
        raise ImportFailed("no_file", file=path.name) from error


def _open_text(path: Path, encoding: str) -> io.TextIOBase:
    python_name = "utf-8-sig" if encoding == "utf-8" else encoding
    return io.TextIOWrapper(
        _open_bytes(path), encoding=python_name, errors="surrogateescape", newline=""
    )
