"""The steps of a world as a Hypothesis machine: replayable from a seed, and shrinking."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.faults.plans import SUDDEN, Kind
from tests.simulation.places import PEOPLE, Place
from tests.simulation.world import PATHS, World

Furnished = Callable[[Path], Place]

#: What happens to one desk alone, and what the hub's administrator does: methods of the world.
TROUBLES = ("restart_desk", "crash", "full_disk", "set_clock", "save_draft", "clone")
ORDERS = (
    "restart_hub",
    "change_role",
    "change_playbook",
    "revoke",
    "prune",
    "back_up",
    "restore",
)

some = st.integers(0, 5)
many = st.integers(0, 11)


class Machine(RuleBasedStateMachine):
    """One simulation; subclasses say where the hub runs."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="desk-world-"))
        self.place = self.furnish(self.folder)
        self.world = World(self.folder, self.place)

    def furnish(self, folder: Path) -> Place:
        """A hub that was set up and runs."""
        raise NotImplementedError

    def look_closer(self) -> None:
        """What else must be so at rest, where the hub runs in its own way."""

    def teardown(self) -> None:
        """Whatever happened: in the end everything must be as it should be."""
        try:
            self.world.come_to_rest()
            self.look_closer()
        finally:
            self.world.close()
            self.place.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    @initialize()
    def leads_come(self) -> None:
        """Something to work on."""
        world = self.world
        for _ in range(2):
            world.create(0)
        world.sync(0)
        world.pass_on(0, 0)
        for desk in (0, 1, 1):
            world.sync(desk)
        world.back_up()

    @rule(desk=some)
    def create(self, desk: int) -> None:
        self.world.create(desk)

    @rule(desk=some, item=many, field=some)
    def edit(self, desk: int, item: int, field: int) -> None:
        self.world.edit(desk, item, field)

    @rule(desk=some, item=many, field=some)
    def edit_person(self, desk: int, item: int, field: int) -> None:
        self.world.edit_person(desk, item, field)

    @rule(desk=some, other=some, item=many, field=some)
    def edit_same(self, desk: int, other: int, item: int, field: int) -> None:
        self.world.edit_same(desk, other, item, field)

    @rule(desk=some, item=many)
    def comment(self, desk: int, item: int) -> None:
        self.world.comment(desk, item)

    @rule(desk=some, item=many, transition=many, colleague=some)
    def move(self, desk: int, item: int, transition: int, colleague: int) -> None:
        self.world.move(desk, item, transition, colleague)

    @rule(desk=some, colleague=some)
    def pass_on(self, desk: int, colleague: int) -> None:
        self.world.pass_on(desk, colleague)

    @rule(desk=some, colleague=some)
    def pass_on_and_tell(self, desk: int, colleague: int) -> None:
        self.world.pass_on(desk, colleague)
        self.world.sync(desk)

    @rule(desk=some, task=some)
    def close_task(self, desk: int, task: int) -> None:
        self.world.close_task(desk, task)

    @rule(one=some, two=some)
    def sync_two(self, one: int, two: int) -> None:
        self.world.sync(one)
        self.world.sync(two)

    @rule(desk=some)
    def sync(self, desk: int) -> None:
        self.world.sync(desk)

    @rule(desk=some, path=st.integers(0, len(PATHS) - 1), kind=st.sampled_from(SUDDEN), nth=some)
    def sync_badly(self, desk: int, path: int, kind: Kind, nth: int) -> None:
        self.world.sync_badly(desk, path, kind, nth)

    @rule(desk=some, item=many)
    def work_meanwhile(self, desk: int, item: int) -> None:
        self.world.work_meanwhile(desk, item)

    @rule(desk=some, entry=some, again=st.booleans())
    def decide(self, desk: int, entry: int, again: bool) -> None:
        if again:
            self.world.retry(desk, entry)
        else:
            self.world.discard(desk, entry)

    @rule(user=st.sampled_from(sorted(PEOPLE)))
    def sit(self, user: str) -> None:
        self.world.sit(user)

    @rule(desk=some, what=st.sampled_from(TROUBLES), number=st.integers(0, 59))
    def trouble(self, desk: int, what: str, number: int) -> None:
        getattr(self.world, what)(desk, number)

    @rule(what=st.sampled_from(ORDERS), who=some, value=some)
    def administer(self, what: str, who: int, value: int) -> None:
        getattr(self.world, what)(who, value)
