"""What the documentation names exists, and its tables of keys are those of the program."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from desk import text
from docs.keys import with_tables

_ROOT = Path(__file__).resolve().parents[1]
_PAGES = [*_ROOT.glob("*.md"), *sorted((_ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[\w-]+)?\)")


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    yield
    text.use("en")


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_guides_have_the_keys_of_the_program(language: str) -> None:
    page = (_ROOT / "docs" / f"operator.{language}.md").read_text(encoding="utf-8")
    assert page == with_tables(page, language), "run: python docs/keys.py"


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_links_between_pages_and_pictures_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
