"""Cards for other systems: stable pseudonyms, and nobody's data."""

from __future__ import annotations

import csv
from argparse import Namespace
from pathlib import Path

import msgspec
import pytest

from desk.commands import hub_export
from desk.domain.operations import EditFields
from desk.domain.spreadsheet import neutral
from desk.hub.errors import SetupError
from desk.hub.exporting import export_items
from tests.hub.hubs import START, Hub, new_lead
from tests.hub.test_sealing import found_in, plant


def exported(hub: Hub, path: Path, kind: str = "lead") -> list[dict[str, str]]:
    export_items(hub.database, kind, path, START)
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_an_export_holds_no_personal_data_and_no_id_of_the_hub(hub: Hub, tmp_path: Path) -> None:
    lead = plant(hub)
    hub.desk("operator1").done(EditFields(item_id=lead, fields={"route_to": "=cmd|' /C calc'!A0"}))
    (row,) = exported(hub, tmp_path / "leads.csv")
    contents = (tmp_path / "leads.csv").read_bytes()
    assert found_in(contents) == []
    assert not [one for one in (lead, "operator1", "cmd") if one.encode() in contents]
    assert row["source"] == "site"
    assert row["subject"]
    assert (tmp_path / "leads.csv").stat().st_mode & 0o777 == 0o600


def test_the_same_card_has_the_same_name_in_each_export(hub: Hub, tmp_path: Path) -> None:
    plant(hub)
    first = exported(hub, tmp_path / "one.csv")
    hub.desk("operator1").done(new_lead("Ещё"))
    second = exported(hub, tmp_path / "two.csv")
    assert first[0]["id"] in {row["id"] for row in second}
    assert first[0]["subject"] in {row["subject"] for row in second}
    assert len({row["id"] for row in second}) == 2


def test_no_file_is_overwritten_and_no_kind_made_up(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("mine")
    for kind, name, code in (
        ("lead", "leads.csv", "file_exists"),
        ("ship", "other.csv", "unknown_kind"),
        ("lead", "no/such.csv", "file_unwritable"),
    ):
        with pytest.raises(SetupError) as raised:
            export_items(hub.database, kind, tmp_path / name, START)
        assert raised.value.code == code
    assert (tmp_path / "leads.csv").read_text() == "mine"


def test_the_command_says_how_many(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(hub)
    options = Namespace(db=hub.url, json=True, out=str(tmp_path / "leads.csv"))
    assert hub_export.leads(options) == 0
    said = msgspec.json.decode(capsys.readouterr().out)
    assert said == {"rows": 1, "file": str(tmp_path / "leads.csv")}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+7 916", "'+7 916"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("\t=1", "'\t=1"),
        (" =1", "' =1"),
        ("-12.5", "-12.5"),
        ("ООО «Вектор»", "ООО «Вектор»"),
        ("", ""),
    ],
)
def test_a_formula_is_shown_and_not_computed(text: str, shown: str) -> None:
    assert neutral(text) == shown
