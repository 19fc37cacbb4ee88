"""Whatever happens, nothing that a desk holds is carried out of it past the application."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.screens.desks import COMPANIES
from tests.screens.exits_run import CANARY, WAYS
from tests.widgets import terminals

MakeProfile = Callable[..., Path]
ROOT = Path(__file__).parents[2]


@terminals.needs_terminal
@pytest.mark.parametrize("way", WAYS)
def test_no_report_log_copy_or_picture_leaves_the_application(
    way: str, profile: MakeProfile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With everything switched on by which Textual would write or send what it holds."""
    logs = tmp_path / "logs"
    logs.mkdir()
    monkeypatch.setenv("TEXTUAL", "debug,devtools")
    monkeypatch.setenv("TEXTUAL_LOG", str(logs / "textual.log"))
    monkeypatch.setenv("TEXTUAL_DEBUG", "1")
    monkeypatch.setenv("TEXTUAL_SCREENSHOT", "1")
    monkeypatch.setenv("TEXTUAL_SCREENSHOT_LOCATION", str(logs))
    folder = profile()
    before = {path.name for path in folder.iterdir()}

    with terminals.running("tests.screens.exits_run", str(folder), way) as terminal:
        code = terminal.until_the_end(60)

    assert code == (1 if way == "crash" else 0), terminal.raw[-600:]
    assert CANARY.encode() not in terminal.raw
    assert b"\x1b]52;" not in terminal.raw
    assert b"Traceback" not in terminal.raw
    assert list(logs.iterdir()) == []
    new = {path.name for path in folder.iterdir()} - before
    assert all(name.startswith(("crash-", "local.")) for name in new), new
    for path in folder.iterdir():
        written = path.read_bytes()
        assert CANARY.encode() not in written, path.name
        assert not any(company.encode() in written for company, _ in COMPANIES), path.name


_ABORT = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
if sys.argv[1] == "hardened":
    from desk.services import lockdown
    lockdown.harden()
held = "Канарейка" + "Тайнова" + str(7 * 1_234_567)
os.abort()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks for a core dump as Linux writes it")
def test_a_desk_that_is_aborted_leaves_no_core_dump(tmp_path: Path) -> None:
    pattern = Path("/proc/sys/kernel/core_pattern").read_text(encoding="ascii").strip()
    if pattern.startswith(("|", "/")):
        pytest.skip("this machine hands core dumps to a program or another folder")
    for kind in ("plain", "hardened"):
        (tmp_path / kind).mkdir()
        subprocess.run(
            [sys.executable, "-c", _ABORT, kind],
            cwd=tmp_path / kind,
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=False,
        )
    dumps = list((tmp_path / "plain").iterdir())
    if not any(CANARY.encode() in one.read_bytes() for one in dumps):
        pytest.skip("this machine writes no core dumps, so none can be missed")
    assert list((tmp_path / "hardened").iterdir()) == []
