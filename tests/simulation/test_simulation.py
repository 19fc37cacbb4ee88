"""People at their desks from one seed: whatever happens, everybody ends with what he may see."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.plans import SUDDEN
from tests.simulation import soak
from tests.simulation.backends import Fresh
from tests.simulation.machine import ORDERS, TROUBLES, Machine
from tests.simulation.places import PEOPLE, InProcess, Place, Processes
from tests.simulation.world import World


def simulate(fresh: Fresh, hubs: int, examples: int, steps: int) -> None:
    class Simulation(Machine):
        def furnish(self, folder: Path) -> Place:
            return InProcess(fresh(folder), hubs)

    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        print_blob=False,
    )
    run_state_machine_as_test(Simulation, settings=chosen)


def test_everybody_ends_with_what_he_may_see_on_sqlite(fresh_sqlite: Fresh) -> None:
    simulate(fresh_sqlite, hubs=1, examples=5, steps=40)


@pytest.mark.parametrize("hubs", [1, 2])
def test_everybody_ends_with_what_he_may_see_on_postgresql(
    fresh_postgres: Fresh, hubs: int
) -> None:
    simulate(fresh_postgres, hubs, examples=2, steps=45)


def test_everybody_ends_with_what_he_may_see_with_real_processes(
    fresh_postgres: Fresh, tmp_path: Path
) -> None:
    """Two hubs on one database, a proxy before each desk, and desks that exchange at once."""
    place = Processes(fresh_postgres(tmp_path), 2, tmp_path)
    world = World(tmp_path, place)
    draw = random.Random(3)
    try:
        for user in PEOPLE:
            world.sit(user)
        for number in range(12):
            for desk in range(len(world.seats)):
                world.create(desk) if number < 2 else world.pass_on(desk, draw.randrange(6))
                world.edit(desk, draw.randrange(9), draw.randrange(3))
                world.comment(desk, draw.randrange(9))
            match number % 4:
                case 0:
                    world.sync_badly(
                        draw.randrange(6), draw.randrange(5), draw.choice(SUDDEN), draw.randrange(3)
                    )
                case 1:
                    getattr(world, draw.choice(TROUBLES))(draw.randrange(6), draw.randrange(60))
                case 2 if number % 8 == 2:
                    getattr(world, draw.choice(ORDERS))(draw.randrange(6), draw.randrange(6))
                case _:
                    world.sync_all_at_once()
        world.come_to_rest()
    finally:
        world.close()
        place.close()


def test_a_soak_prints_its_seed_and_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    short = ["--seconds", "0", "--seed", "2", "--steps", "4", "--simulations", "1"]
    assert soak.main(short) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first == "seed 2: 1 on SQLite"
    assert last.startswith("1 seeds from 2: ")
    assert "1 simulations" in last
