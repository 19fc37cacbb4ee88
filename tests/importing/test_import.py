"""Importing CSV: what is read, what is refused, and what stops an import before it begins."""

from __future__ import annotations

import csv
import gzip
import os
import random
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, func, make_url, select
from sqlalchemy import text as statement

from desk.domain.condition import parse
from desk.domain.playbook_loader import load
from desk.domain.rights import item_types
from desk.hub.database import Database
from desk.hub.importing import Report, import_csv
from desk.hub.importing_errors import ImportFailed
from desk.hub.setup import init
from desk.hub.store import Opened
from desk.resources import playbooks_dir
from desk.schema import hub_tables as t

NOW = 1_790_000_000_000
FREIGHT = (playbooks_dir() / "freight.toml").read_text(encoding="utf-8")
MAP = """
kind = "lead"
title = "{company}: {from} — {to}"
[fields.source]
value = "import"
[fields.company]
column = "company"
[fields.route_from]
column = "from"
[fields.route_to]
column = "to"
[fields.weight_t]
column = "tonnes"
decimal = ","
empty = ["?"]
[fields.ready_date]
date = { year = "year", month = "month", day = "day" }
[fields.cargo]
column = "cargo"
values = { "металл" = "metal", "мебель" = "furniture" }
[subject.name]
column = "client"
[subject.phone]
column = "tel"
[[when]]
if = 'cargo = "metal"'
stage = "in_work"
"""
HEAD = "company;from;to;tonnes;year;month;day;cargo;client;tel"
GOOD = "ООО «Север»;Пермь;Омск;1.250,5;2026;дек;1;металл;Анна Ким;8 (912) 345-67-89"
OTHER = "АО «Юг»;Тула;Уфа;?;2026;2;28;мебель;Олег;+79123456780"


class Bench:
    """A hub to import into, and the files."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.database = Database(url or f"sqlite:///{folder / 'hub.db'}")
        init(self.database, FREIGHT, now=NOW, random_bytes=random.Random(1).randbytes)

    def file(self, content: str | bytes, name: str = "in.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, content: str | bytes, mapping: str = MAP, **more: Any) -> Report:
        self.file(mapping, "map.toml")
        path = self.file(content)
        return import_csv(self.database, path, self.folder / "map.toml", now=NOW, **more)

    def items(self) -> list[Any]:
        with self.database.read() as connection:
            return Opened(connection).items(select(t.item).order_by(t.item.c.id))

    def subjects(self) -> list[Any]:
        with self.database.read() as connection:
            return Opened(connection).subjects(select(t.subject).order_by(t.subject.c.id))


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    made = Bench(tmp_path)
    yield made
    made.database.close()


def text(*rows: str) -> str:
    return "\n".join((HEAD, *rows)) + "\n"


def reasons(report: Report) -> dict[str, int]:
    return {one.code: one.rows for one in report.refused}


def test_a_row_becomes_an_item_with_its_person(bench: Bench) -> None:
    report = bench.run(text(GOOD, OTHER))
    assert (report.rows, report.imported, report.present, report.refused) == (2, 2, 0, [])
    first, second = bench.items()
    assert first.title == "ООО «Север»: Пермь — Омск"
    assert first.fields == {
        "source": "import",
        "company": "ООО «Север»",
        "route_from": "Пермь",
        "route_to": "Омск",
        "weight_t": 1250.5,
        "ready_date": "2026-12-01",
        "cargo": "metal",
    }
    assert (first.stage, second.stage) == ("in_work", "new")
    assert first.score > second.score > 0
    assert "weight_t" not in second.fields
    personal = {row.id: row.fields for row in bench.subjects()}
    assert personal[first.subject_id] == {"name": "Анна Ким", "phone": "+79123456789"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
@pytest.mark.parametrize("sign", [";", ",", "\t", "|"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_encoding_delimiter_and_gzip_are_found_out(
    bench: Bench, encoding: str, sign: str, pack: Callable[[bytes], bytes]
) -> None:
    plain = text(OTHER).replace(";", sign)
    assert bench.run(pack(plain.encode(encoding))).imported == 1
    assert bench.items()[0].title == "АО «Юг»: Тула — Уфа"


def test_an_import_repeated_adds_nothing(bench: Bench) -> None:
    bench.run(text(GOOD, OTHER, OTHER))
    again = bench.run(text(GOOD, OTHER, OTHER))
    assert (again.imported, again.present) == (0, 3)
    assert len(bench.items()) == 3


def test_with_a_key_a_row_is_known_in_another_file_too(bench: Bench) -> None:
    keyed = MAP.replace('title = "', 'key = ["tel"]\ntitle = "')
    bench.run(text(GOOD, OTHER), keyed)
    later = bench.run(text(OTHER, OTHER, GOOD.replace("67-89", "67-11")), keyed)
    assert (later.imported, later.present) == (1, 1)
    assert reasons(later) == {"same_key": 1}


def test_an_import_that_was_cut_short_goes_on_where_it_stopped(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.hub.importing._BATCH", 10)
    content = text(*[OTHER] * 35)

    def pull_the_plug(done: int, _total: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.run(content, on_progress=pull_the_plug)
    assert len(bench.items()) == 20
    report = bench.run(content)
    assert (report.imported, report.present) == (15, 20)
    assert len(bench.items()) == 35


def test_a_dry_run_says_the_same_and_writes_nothing(bench: Bench) -> None:
    report = bench.run(text(GOOD, OTHER.replace("мебель", "дым")), dry_run=True)
    assert (report.imported, reasons(report), report.dry_run) == (1, {"no_value": 1}, True)
    assert report.refused_file is None
    assert bench.items() == []


def test_refused_rows_are_counted_by_reason_and_kept_for_their_owner_alone(bench: Bench) -> None:
    rows = [
        GOOD,
        OTHER.replace("+79123456780", "звонить Олегу"),
        OTHER.replace("2;28", "2;30"),
        OTHER.replace("?", "тонна"),
        OTHER.replace("?", "-5"),
        OTHER + ";лишнее",
        OTHER.replace("мебель", "дым"),
        OTHER.replace("мебель", "дым"),
        OTHER.replace("Тула", "Ту\0ла"),
    ]
    report = bench.run(text(*rows))
    assert report.imported == 1
    assert reasons(report) == {
        "no_value": 2,
        "not_a_phone": 1,
        "bad_date": 1,
        "not_a_number": 1,
        "number_range": 1,
        "width": 1,
        "nul": 1,
    }
    assert report.refused[0].line == 8
    assert report.refused_file
    aside = Path(report.refused_file)
    if os.name != "nt":
        assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    written = list(csv.reader(aside.read_text(encoding="utf-8").splitlines(), delimiter=";"))
    assert written[0][:3] == ["line", "reason", "field"]
    assert written[1][:3] == ["3", "not_a_phone", "phone"]
    assert written[1][-1] == "звонить Олегу"
    assert len(written) == 9


def test_without_refused_rows_there_is_no_such_file(bench: Bench) -> None:
    assert bench.run(text(GOOD)).refused_file is None
    assert not list(bench.folder.glob("*.refused.csv"))


def test_a_formula_is_kept_as_the_text_it_is(bench: Bench) -> None:
    evil = '=HYPERLINK("http://x.example","y")'
    quoted = '"' + evil.replace('"', '""') + '"'
    assert bench.run(text(GOOD.replace("ООО «Север»", quoted))).imported == 1
    assert bench.items()[0].fields["company"] == evil


def test_control_codes_are_cleaned_on_the_way_in(bench: Bench) -> None:
    bench.run(text(GOOD.replace("Анна Ким", "Анна\x1b[31m \u202eКим")))
    assert bench.subjects()[0].fields["name"] == "Анна[31m Ким"


def test_a_field_of_a_megabyte_is_refused_and_the_rest_is_taken(bench: Bench) -> None:
    report = bench.run(text(GOOD.replace("Анна Ким", "А" * 1_000_000), OTHER))
    assert report.imported == 1
    assert reasons(report) == {"too_long": 1}


def test_cells_may_hold_line_ends(bench: Bench) -> None:
    report = bench.run(text(GOOD.replace("Омск", '"Омск,\nсклад 5"'), OTHER + ";x"))
    assert report.imported == 1
    assert bench.items()[0].fields["route_to"] == "Омск, склад 5"
    assert report.refused[0].line == 4


def test_stated_utf8_refuses_the_rows_that_are_not(bench: Bench) -> None:
    mixed = text(GOOD).encode() + OTHER.encode("cp1251") + b"\n"
    report = bench.run(mixed, 'encoding = "utf-8"\n' + MAP)
    assert (report.imported, reasons(report)) == (1, {"encoding": 1})


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (gzip.compress(text(*[GOOD] * 500).encode())[:-40], "broken_gzip", "in.csv is a damaged"),
        (gzip.compress(b"")[:6], "broken_gzip", "in.csv is a damaged"),
        (b"", "empty", "in.csv has no rows"),
        (HEAD.encode(), "empty", "in.csv has no rows"),
        (text(GOOD).encode("utf-16"), "utf16", "in.csv is UTF-16"),
        (b"PK\x03\x04rest", "spreadsheet", "Save it as CSV"),
        (text(GOOD).encode() + OTHER.encode("cp1251"), "mixed_encodings", "line 3 is not UTF-8"),
        (text(GOOD).replace("tel", "phone"), "no_columns", "no columns tel "),
        (text(GOOD).replace("tonnes", "company"), "no_columns", "no columns tonnes"),
        ("company;" + text(GOOD), "twice", "company stands twice"),
        (text(GOOD, '"never closed ' + "x" * 5_000_000), "csv", "in.csv, line 3"),
    ],
    # Without names of their own they would be named by their bytes, and gzip writes the time.
    ids=[
        "cut gzip",
        "gzip head alone",
        "empty",
        "head alone",
        "utf-16",
        "spreadsheet",
        "two encodings",
        "missing column",
        "another missing column",
        "column twice",
        "open quote",
    ],
)
def test_what_cannot_be_imported_is_said_before_anything_is_written(
    bench: Bench, content: bytes | str, code: str, said: str
) -> None:
    with pytest.raises(ImportFailed) as failed:
        bench.run(content)
    assert failed.value.code == code
    assert said in str(failed.value)
    assert bench.items() == []


@pytest.mark.parametrize(
    ("wrong", "right", "code", "said"),
    [
        ('kind = "lead"', 'kind = "leed"', "map_unknown", "“leed” does not exist. Use one of: lea"),
        ("[fields.company]", "[fields.firm]", "map_unknown", "key fields.firm: “firm” does not"),
        ('column = "tel"', "colum = 1", "map_surplus", "key subject[...].colum is unknown"),
        ('kind = "lead"', "", "map_missing", "key kind is missing"),
        ('kind = "lead"', "kind = 1", "map_type", "key kind: a value of another type"),
        ('column = "tel"', "", "map_key", "key subject.phone: Write exactly one of column"),
        ('stage = "in_work"', 'stage = "nowhere"', "map_unknown", "key when.stage: “nowhere”"),
        ('cargo = "metal"\'', "cargo == 1'", "map_key", "key when.if:"),
        ('kind = "lead"', 'kind = "lead', "map_toml", "map.toml is not valid TOML: "),
        ('kind = "lead"', 'kind = "lead"\ndelimiter = "--"', "map_key", "key delimiter: Write one"),
        ('kind = "lead"', 'kind = "lead"\nencoding = "koi8"', "unknown_encoding", '"utf-8" or "cp'),
        ('decimal = ","', 'decimal = ";"', "map_key", "key fields.weight_t.decimal"),
    ],
)
def test_a_wrong_mapping_names_the_key_and_the_mend(
    bench: Bench, wrong: str, right: str, code: str, said: str
) -> None:
    with pytest.raises(ImportFailed) as failed:
        bench.run(text(GOOD), MAP.replace(wrong, right))
    assert failed.value.code == code
    assert said in str(failed.value)


def test_files_that_are_not_there_are_named(bench: Bench) -> None:
    bench.file(MAP, "map.toml")
    with pytest.raises(ImportFailed, match=r"no readable file none\.csv"):
        import_csv(bench.database, bench.folder / "none.csv", bench.folder / "map.toml")
    with pytest.raises(ImportFailed, match=r"no readable mapping none\.toml"):
        import_csv(bench.database, bench.folder / "none.csv", bench.folder / "none.toml")
    with pytest.raises(ImportFailed, match="Name another place with --refused"):
        bench.run(text("x"), refused=bench.folder / "no" / "such" / "folder.csv")


def test_no_error_repeats_what_a_cell_holds(bench: Bench) -> None:
    with pytest.raises(ImportFailed) as failed:
        bench.run(text(GOOD, '"Анна Ким ' + "x" * 5_000_000))
    assert "Анна" not in str(failed.value)


def test_postgresql_takes_the_same_rows(postgres_url: str, tmp_path: Path) -> None:
    server = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(statement("DROP DATABASE IF EXISTS importing WITH (FORCE)"))
        connection.execute(statement("CREATE DATABASE importing TEMPLATE template0"))
    url = make_url(postgres_url).set(database="importing")
    made = Bench(tmp_path, url.render_as_string(hide_password=False))
    rows = [GOOD, OTHER, OTHER.replace("Тула", "Ту\0ла")]
    first, again = made.run(text(*rows)), made.run(text(*rows))
    assert (first.imported, again.present, reasons(again)) == (2, 2, {"nul": 1})
    assert made.items()[0].fields["weight_t"] == 1250.5
    made.database.close()
    with server.connect() as connection:
        connection.execute(statement("DROP DATABASE importing WITH (FORCE)"))
    server.dispose()


BANK = Path(__file__).resolve().parents[3] / "shared" / "data" / "bank" / "bank-full.csv.gz"


@pytest.mark.skipif(not BANK.exists(), reason="the public file bank-full.csv.gz is not here")
def test_the_bank_file_is_imported_whole(tmp_path: Path) -> None:
    source = (playbooks_dir() / "bank.toml").read_text(encoding="utf-8")
    bank = load(source, "bank.toml")
    with Database(f"sqlite:///{tmp_path / 'hub.db'}") as database:
        init(database, source, now=NOW, random_bytes=random.Random(1).randbytes)
        report = import_csv(database, BANK, playbooks_dir() / "maps" / "bank.toml", now=NOW)
        assert (report.rows, report.imported, report.refused) == (45_211, 45_211, [])

        def count(condition: str) -> int:
            clause = to_sql(bank, condition)
            with database.read() as connection:
                return connection.execute(
                    select(func.count()).select_from(t.item).where(clause)
                ).scalar_one()

        assert count("subscribed = true") == 5289
        assert count('stage = "agreed"') == 5289
        assert count('contact_type = "cellular"') == 29_285
        assert count('contact_type = "cellular" and subscribed = true') == 4369
        assert count('earlier_outcome = "success"') == 1511
        assert count('earlier_outcome = "success" and subscribed = true') == 978


def to_sql(bank: Any, condition: str) -> Any:
    from desk.schema import conditions

    types = item_types(bank, "lead")
    columns = {
        name: t.item.c[name]
        if name in t.item.c
        else conditions.json_field(t.item.c.fields, name, kind)
        for name, kind in types.items()
    }
    return conditions.to_sql(parse(condition, types), columns.__getitem__, me="", now=NOW)
