"""Build hook: compiles the message catalogues and carries `themes/` into the wheel.

Run as a script it compiles the catalogues that changed, which is what the Makefile does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent


def compile_catalogues(root: Path) -> list[Path]:
    """Compile every `desk/locale/*/LC_MESSAGES/*.po` whose `.mo` is older; return those written."""
    written: list[Path] = []
    for source in sorted(root.glob("desk/locale/*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns > source.stat().st_mtime_ns:
            continue
        with source.open("rb") as stream:
            catalogue = read_po(stream, locale=source.parent.parent.name)
        # Written aside and renamed: a running desk never reads half a catalogue.
        aside = target.with_suffix(".mo.new")
        with aside.open("wb") as stream:
            write_mo(stream, catalogue)
        aside.replace(target)
        written.append(target)
    return written


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        compile_catalogues(root)
        # An editable install finds themes/ beside the package; a wheel has to carry it.
        if version != "editable" and self.target_name == "wheel":
            build_data["force_include"][str(root / "themes")] = "desk/themes"


if __name__ == "__main__":
    compile_catalogues(ROOT)
