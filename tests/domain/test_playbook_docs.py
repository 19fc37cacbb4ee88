"""What docs/playbook.md shows is true: its playbooks load, and its additions do what it says."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from desk.domain import playbook as spec
from desk.domain.playbook import Playbook
from desk.domain.playbook_loader import load
from desk.domain.rights import COLUMN_TYPES

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = (_ROOT / "docs" / "playbook.md").read_text(encoding="utf-8")
_FREIGHT = (_ROOT / "desk" / "playbooks" / "freight.toml").read_text(encoding="utf-8")
_EXAMPLE = re.compile(r"<!-- (.+?) -->\n```toml\n(.*?)```", re.DOTALL)
_PLACE = re.compile(r"into freight\.toml before: (\[\[[a-z.]+\]\])(?: (\w+))? of (\w+)")


def _examples() -> Iterator[tuple[str, str]]:
    for match in _EXAMPLE.finditer(_PAGE):
        yield match[1], match[2]


def _insert(source: str, place: re.Match[str], fragment: str) -> str:
    table, name, kind = place.groups()
    start = source.index(f'[[kind]]\nid = "{kind}"')
    at = source.index(f'{table}\nid = "{name}"' if name else table, start)
    return f"{source[:at]}{fragment}\n{source[at:]}"


def _extended() -> Playbook:
    source = _FREIGHT
    for marker, fragment in _examples():
        place = _PLACE.fullmatch(marker)
        if place:
            source = _insert(source, place, fragment)
    return load(source, "freight.toml")


def test_every_toml_of_the_page_is_an_example_that_is_tried() -> None:
    known = [marker for marker, _ in _examples()]
    assert len(known) == _PAGE.count("```toml")
    assert all(marker == "example: complete" or _PLACE.fullmatch(marker) for marker in known)


def test_the_small_playbook_loads_as_it_stands() -> None:
    complete = [text for marker, text in _examples() if marker == "example: complete"]
    assert complete
    for text in complete:
        assert load(text, "docs/playbook.md").kinds


def test_a_new_junk_stage_is_a_reason_in_leads_and_qualifications() -> None:
    book = _extended()
    for kind in ("lead", "qualification"):
        assert book.kinds[kind].fields["junk_stage"].choice("junk_too_expensive")


def test_a_new_field_is_in_the_form_and_editable_by_roles_that_edit_all() -> None:
    book = _extended()
    lead = book.kinds["lead"]
    assert lead.fields["temperature"].min == -30
    assert any("temperature" in section.fields for section in lead.form)
    assert book.roles["marketer"].edits["lead"] == ("*",)


def test_a_new_stage_stands_in_its_place_and_is_left_again() -> None:
    kind = _extended().kinds["qualification"]
    stages = [stage.id for stage in kind.stages]
    assert stages.index("waiting") + 1 == stages.index("handed")
    assert kind.transitions["wait"].target == "waiting"
    assert kind.transitions["resume"].sources == ("waiting",)


@pytest.mark.parametrize(
    ("heading", "struct", "written_otherwise"),
    [
        ("stage", spec.Stage, {}),
        ("field", spec.Field, {}),
        ("form", spec.FormSection, {}),
        ("role", spec.Role, {}),
        ("task", spec.TaskType, {}),
        ("purpose", spec.Purpose, {}),
        ("terms", spec.Terms, {}),
        (
            "transition",
            spec.Transition,
            {"sources": "from", "target": "to", "guards": "guard", "effects": "effect"},
        ),
        (
            "kind",
            spec.Kind,
            {"stages": "stage", "fields": "field", "transitions": "transition", "robots": "robot"},
        ),
    ],
)
def test_the_reference_names_every_key(
    heading: str, struct: type[msgspec.Struct], written_otherwise: dict[str, str]
) -> None:
    section = _PAGE.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]
    for name in struct.__struct_fields__:
        key = written_otherwise.get(name, name)
        assert re.search(rf"`(\[\[kind\.(\w+\.)?)?{key}(\]\])?`", section), key


def test_the_reference_names_every_effect_and_every_column() -> None:
    effects = _PAGE.partition("\n### effects\n")[2].partition("\n### ")[0]
    for one in spec.EffectSpec.__args__:
        assert f"| `{one.__struct_config__.tag}` |" in effects
        for name in one.__struct_fields__:
            assert f"`{name}`" in effects or f"`{name} = true`" in effects, name
    names = _PAGE.partition("\n### Names\n")[2]
    for column in COLUMN_TYPES:
        assert f"`{column}`" in names
