"""``python -m tests.mutants [NAME …]``: break each fence on purpose; the tests must notice.

Each break is made in a copy of the tree, and the tests named with it run there. Prints a table in
Markdown; ends with 1 where a break survived, and with 2 where one does not fit the code any more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.mutants.breaks import BREAKS, Break

ROOT = Path(__file__).resolve().parents[2]
_COPIED = ("desk", "tests", "themes", "pyproject.toml")
#: Nothing that is caught takes so long, s; a break that makes a test hang is noticed, too.
_PATIENCE = 300
_PASSED, _FAILED = 0, 1


def main(names: Sequence[str]) -> int:
    """Break what is named, or everything; 0 if every break was noticed."""
    chosen = [one for one in BREAKS if not names or one.name in names]
    known = {one.name for one in BREAKS}
    if len(known) < len(BREAKS) or not set(names) <= known:
        _say(f"there is no break {', '.join(sorted(set(names) - known))}, or one is there twice")
        return 2
    misfits = [f"{one.name}: {text}" for one in chosen for text in _misfits(one)]
    if misfits:
        _say("these do not fit the code any more:\n" + "\n".join(misfits))
        return 2
    with tempfile.TemporaryDirectory(prefix="desk-mutants-") as folder:
        tree = Path(folder)
        for name in _COPIED:
            _copy(ROOT / name, tree / name)
        _say("| break | fence | noticed by |\n|---|---|---|")
        survived = 0
        for one in chosen:
            caught, result = _try(one, tree)
            survived += not caught
            _say(f"| {one.name} | {one.fence} | {result} |")
    _say(f"\n{len(chosen) - survived} of {len(chosen)} caught")
    return 1 if survived else 0


def _misfits(one: Break) -> Iterator[str]:
    """Texts that are not in their files exactly once."""
    for patch in one.patches:
        count = (ROOT / patch.file).read_text(encoding="utf-8").count(patch.old)
        if count != 1:
            yield f"{patch.file} has {count} times {patch.old.strip()!r}"


def _try(one: Break, tree: Path) -> tuple[bool, str]:
    """Whether the break was noticed, and by which test, or what else happened."""
    before, _ = _run(one, tree)
    if before != _PASSED:
        return False, f"its tests do not pass unbroken ({before})"
    with _broken(one, tree):
        after, why = _run(one, tree)
    caught = after == _FAILED
    return caught, why if caught else f"**survived** ({after})"


@contextmanager
def _broken(one: Break, tree: Path) -> Iterator[None]:
    whole = {patch.file: (tree / patch.file).read_text(encoding="utf-8") for patch in one.patches}
    try:
        for patch in one.patches:
            path = tree / patch.file
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(patch.old, patch.new), encoding="utf-8")
        yield
    finally:
        for name, text in whole.items():
            (tree / name).write_text(text, encoding="utf-8")


def _run(one: Break, tree: Path) -> tuple[int, str]:
    """The exit status of pytest and the test that failed; a hanging test has failed."""
    # Compiled modules are told apart by time and size: a patch may change neither.
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *one.tests]
    try:
        done = subprocess.run(
            command,
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _FAILED, "a test hung"
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    name = failed[0].split(" - ")[0].rpartition("::")[2] if failed else ""
    if os.environ.get("MUTANTS_SAY_WHY"):
        reasons = [line for line in done.stdout.splitlines() if line.startswith("E  ")]
        _say("\n".join(reasons)[:1000])
    return done.returncode, f"`{name}`"


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    else:
        shutil.copyfile(source, target)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
