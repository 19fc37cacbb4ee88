"""How much of everything one run of the benches does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes and repetitions."""

    #: Leads at which keys, moves and the reading of the board are measured.
    sizes: tuple[int, ...] = (1_000, 10_000, 100_000)
    #: Leads for the start, and for keys while a pull comes.
    usual: int = 20_000
    #: Leads for the first sync.
    bootstrap: int = 100_000
    starts: int = 9
    keys: int = 60
    moves: int = 30
    syncs: int = 3
    loads: int = 9
    #: Pulls under which keys are pressed, and rows of each.
    rounds: int = 6
    pulled: int = 20_000
    #: Operations in the queue of a desk that sends them all.
    pushed: int = 1_000
    #: Bare requests of a hub, beside what it does for a desk.
    trips: int = 200
    #: Changes that are watched on their way to another desk.
    hints: int = 100
    #: Desks connected to one hub, the changes they are hinted at, and for how long they idle, s.
    crowd: int = 500
    crowd_hints: int = 20
    idle: float = 60.0

    @classmethod
    def quick(cls) -> Plan:
        """Enough to see whether something is far off; its p95 says little."""
        return cls(
            sizes=(1_000, 10_000),
            usual=2_000,
            bootstrap=2_000,
            starts=3,
            keys=20,
            moves=10,
            syncs=1,
            loads=3,
            rounds=1,
            pulled=2_000,
            pushed=200,
            trips=50,
            hints=20,
            crowd=100,
            crowd_hints=5,
            idle=5.0,
        )
