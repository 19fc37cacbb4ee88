"""The wheel carries everything Desk needs and works from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import desk

ROOT = Path(__file__).resolve().parent.parent

LOOK = """
import json, sys
from pathlib import Path
import desk
from desk import resources, text
text.use("ru")
print(json.dumps({
    "package": desk.__file__,
    "playbooks": sorted(path.name for path in resources.playbooks_dir().glob("*.toml")),
    "themes": sorted(path.name for path in resources.themes_dir().iterdir()),
    "russian": text._("now"),
}))
"""


def run(command: list[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "DESK_HOME": str(cwd / "profile")},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline from the checkout by the backend that pyproject.toml names."""
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT]
    built = run(list(build), out)
    assert built.returncode == 0, built.stderr + built.stdout
    (found,) = out.glob("desk-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a clean environment that holds the wheel and borrows its dependencies."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False)
    folders = sysconfig.get_paths(vars={"base": str(home), "platbase": str(home)})
    # A path line, not a site folder: the editable Desk of this environment stays out of sight.
    borrowed = Path(folders["purelib"]) / "borrowed.pth"
    borrowed.write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    python = Path(folders["scripts"]) / Path(sys.executable).name
    install = ["-m", "pip", "--quiet", "install", "--no-deps", "--no-index", "--ignore-installed"]
    done = run([python, *install, wheel], home)
    assert done.returncode == 0, done.stderr
    return python.parent


def test_the_wheel_holds_the_package_and_its_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "desk/locale/ru/LC_MESSAGES/desk.mo" in names
    assert "desk/py.typed" in names
    assert not [name for name in names if name.endswith(".po")]
    assert {name.partition("/")[0] for name in names} == {
        "desk",
        f"desk-{desk.__version__}.dist-info",
    }


def test_an_installed_desk_finds_its_data_from_another_folder(
    installed: Path, tmp_path: Path
) -> None:
    import json

    seen = run([installed / "python", "-c", LOOK], tmp_path)
    assert seen.returncode == 0, seen.stderr
    answer = json.loads(seen.stdout)
    assert Path(answer["package"]).is_relative_to(installed.parent)
    assert answer["playbooks"] == sorted(p.name for p in (ROOT / "desk/playbooks").glob("*.toml"))
    assert answer["playbooks"]
    assert answer["themes"] == sorted(path.name for path in (ROOT / "themes").iterdir())
    assert answer["themes"]
    assert answer["russian"] == "сейчас"


def test_the_installed_command_tells_its_version_and_its_use(
    installed: Path, tmp_path: Path
) -> None:
    version = run([installed / "desk", "--version"], tmp_path)
    assert (version.returncode, version.stderr) == (0, "")
    assert desk.__version__ in version.stdout
    usage = run([installed / "desk", "--help"], tmp_path)
    assert (usage.returncode, usage.stderr) == (0, "")
    assert "demo" in usage.stdout


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_every_package_by_hash_and_names_no_place(lock: str) -> None:
    body = (ROOT / lock).read_text(encoding="utf-8")
    pins = body.split("\n# ", 1)[-1].replace(" \\\n", " ").splitlines()
    packages = [line for line in pins if line and not line.startswith((" ", "#", "make"))]
    assert packages
    assert [line for line in packages if "==" not in line or "--hash=sha256:" not in line] == []
    assert [
        word for word in ("http:", "https:", "file:", "--index", "--find") if word in body
    ] == []


def test_the_development_lock_holds_the_runtime_lock() -> None:
    def pins(name: str) -> set[str]:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        return {line.partition(" ")[0] for line in lines if line[:1].isalnum()}

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_every_declared_dependency_is_locked() -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = dict(line.partition(" ")[0].split("==") for line in lines if line[:1].isalnum())
    for text in [*project["dependencies"], *project["optional-dependencies"]["hub"]]:
        wanted = Requirement(text)
        assert locked[canonicalize_name(wanted.name)] in wanted.specifier
