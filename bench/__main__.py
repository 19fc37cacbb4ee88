"""`python -m bench`: measures, and prints tables on stdout; nothing is left behind."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench import machine
from bench.figures import Fact, Line, table
from bench.plan import Plan
from bench.terminal import missing

if TYPE_CHECKING:
    from bench.world import World

#: Each bench with the module that measures it, in the order of the table; moves change the desks
#: that the others read, so they come last.
BENCHES = {
    "start": "start",
    "load": "loads",
    "vault": "vaults",
    "keys": "keys",
    "pull": "pulls",
    "sync": "syncs",
    "push": "pushes",
    "live": "live",
    "crowd": "crowd",
    "move": "moves",
}
_ON_TERMINAL = ("start", "keys", "pull")
_NOTES = """\
Terminal: {size}. A key's time ends with the last byte of what it painted. Every row's floor
(“beside”) was measured in turn with it. Local copies are encrypted, opened with a passphrase,
and work without a hub, except in the pull and the first sync. “cpu” is the median of what the
processor worked for it: far below the median, the machine was busy with other things."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; 0 if nothing failed, whatever the figures are."""
    options = _parser().parse_args(arguments)
    plan = Plan.quick() if options.quick else Plan()
    if options.leads:
        plan = replace(
            plan, sizes=tuple(options.leads), usual=options.leads[0], bootstrap=options.leads[0]
        )
    print(machine.describe(), machine.load(), sep="; ", flush=True)
    with TemporaryDirectory(prefix="desk-bench-") as folder:
        from bench.world import World, say

        # Programs compile into our folder, whether or not the modules' own may be written.
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "compiled")
        world = World(Path(folder))
        for name in options.only or BENCHES:
            if name in _ON_TERMINAL and missing():
                print(f"{name}: skipped, {missing()}", flush=True)
                continue
            say(f"measuring: {name}")
            # Each as soon as it is known: the whole takes minutes.
            print(f"\n{table(_measure_of(name)(plan, world))}", flush=True)
    print(f"\n{_notes()}", machine.load(), sep="\n", flush=True)
    return 0


def _measure_of(name: str) -> Callable[[Plan, World], list[Line | Fact]]:
    return import_module(f"bench.{BENCHES[name]}").measure


def _notes() -> str:
    from bench.terminal import HEIGHT, WIDTH

    return _NOTES.format(size=f"{WIDTH}×{HEIGHT}")


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--leads",
        type=_sizes,
        metavar="N[,N…]",
        help="these sizes instead of the usual ones; the first is that of start and sync",
    )
    parser.add_argument(
        "--only", type=_names, metavar="NAME[,NAME…]", help=f"of {', '.join(BENCHES)}"
    )
    parser.add_argument("--quick", action="store_true", help="small and few: a look, no proof")
    return parser


def _sizes(word: str) -> list[int]:
    parts = word.split(",")
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise ArgumentTypeError("numbers above 0, with commas between them")
    return [int(part) for part in parts]


def _names(word: str) -> list[str]:
    names = word.split(",")
    if unknown := [name for name in names if name not in BENCHES]:
        raise ArgumentTypeError(f"no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    return [name for name in BENCHES if name in names]


if __name__ == "__main__":
    sys.exit(main())
