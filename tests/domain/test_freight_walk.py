"""Random people do random things for a while: the invariants of the hand-off always hold."""

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from desk.domain.decide import settle
from desk.domain.effects import Outcome
from desk.domain.model import Item, Value
from desk.domain.operations import CloseTask, Comment, Create, EditFields, Move
from desk.domain.refusals import SENTENCES, Conflict, Refusal
from desk.domain.transitions import possible
from tests.domain.world import FREIGHT, PEOPLE, World

_NAMES = [name for name, _ in PEOPLE]
_SALES = [name for name, role in PEOPLE if role == "sales"]
_TRANSITIONS = sorted(
    {one for kind in FREIGHT.kinds.values() for one in kind.transitions} | {"nonsense"}
)
_COMMENTS = st.sampled_from(["", "Причина"])
_FIELDS = st.sampled_from(
    [
        {},
        {"junk_stage": "junk_spam"},
        {"junk_stage": "won"},
        {"target_direction": "ftl", "monthly_volume": 3},
        {"route_to": "Пермь"},
    ]
)
_OPEN_QUALIFICATION = ("new", "in_work", "handed", "returned")


class Walk(RuleBasedStateMachine):
    """The exchange on a random day."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.accepted: set[str] = set()

    @initialize()
    def a_lead_is_there(self) -> None:
        self.world.lead()

    @rule(who=st.sampled_from(["operator1", "consultant1", "marketer1", "marketer2", "head"]))
    def somebody_creates_a_lead(self, who: str) -> None:
        if len(self.world.items) < 12:
            self.world.do(who, Create(kind="lead", title="Запрос", fields={"company": "ООО"}))

    @rule(name=st.sampled_from(_NAMES), present=st.booleans())
    def somebody_comes_or_goes(self, name: str, present: bool) -> None:
        person = self.world.people[name]
        self.world.people[name] = msgspec.structs.replace(person, present=present)

    @rule(
        who=st.sampled_from(_NAMES),
        number=st.integers(0, 11),
        transition=st.sampled_from(_TRANSITIONS),
        fields=_FIELDS,
        comment=_COMMENTS,
        to=st.sampled_from([None, None, *_NAMES]),
    )
    def somebody_moves_a_card(
        self,
        who: str,
        number: int,
        transition: str,
        fields: dict[str, Value],
        comment: str,
        to: str | None,
    ) -> None:
        item = self._item(number)
        intent = Move(
            item_id=item.id, transition=transition, fields=dict(fields), comment=comment, to=to
        )
        before = msgspec.structs.replace(item)
        result = self.world.ask(who, intent)
        if isinstance(result, Outcome):
            self._check_move(before, intent, result)
        else:
            assert result.code in SENTENCES
            assert self.world.items[item.id] == before

    @rule(who=st.sampled_from(_NAMES), number=st.integers(0, 11), choice=st.integers(0, 9))
    def somebody_does_what_the_card_offers(self, who: str, number: int, choice: int) -> None:
        """Wholly random moves rarely get far; these take one of the possible ones, filled in."""
        item = self._item(number)
        actor = self.world.actor(who if choice % 3 == 0 else item.responsible or who)
        offered = possible(self.world.scene(item.id), actor, FREIGHT, self.world.now)
        open_now = [one.transition for one in offered if one.refusal is None]
        if not open_now:
            return
        transition = open_now[choice % len(open_now)]
        colleagues = transition.choose.roles if transition.choose else ()
        to = next((n for n, role in PEOPLE if role in colleagues), None)
        values = {"junk_stage": "junk_spam", "target_direction": "ftl", "monthly_volume": 3}
        self.world.ask(
            actor.id,
            Move(
                item_id=item.id,
                transition=transition.id,
                fields={name: values[name] for name in transition.required},
                comment="Причина",
                to=to if choice % 2 else None,
            ),
        )

    @rule(who=st.sampled_from(_NAMES), number=st.integers(0, 11), comment=_COMMENTS)
    def somebody_writes_or_calls(self, who: str, number: int, comment: str) -> None:
        item = self._item(number)
        self.world.ask(who, Comment(item_id=item.id, text=comment))
        for task in list(self.world.tasks.values()):
            if task.item_id == item.id:
                self.world.ask(who, CloseTask(item_id=item.id, task_id=task.id))
                break

    @rule(who=st.sampled_from(_NAMES), number=st.integers(0, 11), fields=_FIELDS)
    def somebody_edits(self, who: str, number: int, fields: dict[str, Value]) -> None:
        self.world.ask(who, EditFields(item_id=self._item(number).id, fields=dict(fields)))

    @invariant()
    def a_lead_belongs_to_sales_only_after_acceptance(self) -> None:
        for lead in self._of("lead"):
            if lead.responsible in _SALES:
                assert any(q.stage == "accepted" for q in self._qualifications(lead))

    @invariant()
    def a_lead_has_at_most_one_open_qualification(self) -> None:
        for lead in self._of("lead"):
            stages = [q.stage for q in self._qualifications(lead)]
            assert sum(stage in _OPEN_QUALIFICATION for stage in stages) <= 1

    @invariant()
    def the_stage_says_who_is_responsible(self) -> None:
        for one in self._of("qualification"):
            role = self.world.people[one.responsible or ""].role
            assert role == ("sales" if one.stage == "handed" else "marketer")
            assert self.world.people[one.owner or ""].role == "marketer"

    @invariant()
    def a_handed_lead_is_shared_with_who_decides_about_it(self) -> None:
        for one in self._of("qualification"):
            lead = self.world.items[one.parent_id or ""]
            if one.stage == "handed":
                assert lead.shared_with == one.responsible
            elif one.stage in _OPEN_QUALIFICATION:
                assert lead.shared_with is None

    @invariant()
    def results_agree_with_the_stages(self) -> None:
        for event in ("accepted", "target", "junk"):
            counted = sum(t.sign for t in self.world.tallies if t.event == event)
            assert counted == sum(q.stage == event for q in self._of("qualification"))
        arrived = sum(t.sign for t in self.world.tallies if t.event == "arrived")
        assert arrived == len(self._of("qualification"))
        rounds = sum(q.round for q in self._of("qualification"))
        assert rounds == sum(t.sign for t in self.world.tallies if t.event == "handed")

    @invariant()
    def a_final_qualification_settled_its_lead(self) -> None:
        for lead in self._of("lead"):
            qualifications = self._qualifications(lead)
            if not qualifications:
                continue
            newest = max(qualifications, key=lambda q: q.id)
            if newest.stage == "target":
                assert lead.stage == "won"
            elif newest.stage == "junk":
                assert lead.stage.startswith("junk_")
            elif newest.stage in _OPEN_QUALIFICATION:
                assert lead.stage in ("new", "in_work")

    @invariant()
    def stages_exist_and_versions_count(self) -> None:
        for item in self.world.items.values():
            assert FREIGHT.kinds[item.kind].stage(item.stage)
            assert item.version >= 1
            assert all(v <= item.version for v in item.field_versions.values())
            due = [
                t.due_at
                for t in self.world.tasks.values()
                if t.item_id == item.id and t.closed_at is None
            ]
            assert item.due_at == min(due, default=None)

    def _check_move(self, before: Item, intent: Move, outcome: Outcome) -> None:
        assert any(entry.item_id == before.id for entry in outcome.entries)
        if intent.transition == "hand_off":
            assert [t.type for t in outcome.tasks if t.closed_at is None] == ["call_sales"]
        if intent.transition == "return":
            assert intent.comment
            assert [t.type for t in outcome.tasks if t.closed_at is None] == ["call_marketer"]

    def _item(self, number: int) -> Item:
        items = list(self.world.items.values())
        return items[number % len(items)]

    def _of(self, kind: str) -> list[Item]:
        return [item for item in self.world.items.values() if item.kind == kind]

    def _qualifications(self, lead: Item) -> list[Item]:
        return [q for q in self._of("qualification") if q.parent_id == lead.id]


Walk.TestCase.settings = settings(max_examples=60, stateful_step_count=60)
TestWalk = Walk.TestCase


def test_every_state_operation_and_role_gets_an_answer() -> None:
    """Total: each transition of each kind from each stage by each person decides or refuses."""
    world = World()
    lead, first = world.handed()
    for name in _NAMES:
        for kind in FREIGHT.kinds.values():
            for stage in kind.stages:
                for transition in kind.transitions.values():
                    item = msgspec.structs.replace(first, kind=kind.id, stage=stage.id)
                    world.items = {lead.id: lead, item.id: item}
                    to = "sales1" if transition.choose else None
                    intent = Move(item_id=item.id, transition=transition.id, comment="x", to=to)
                    for judge in ("desk", "hub"):
                        answer = settle(
                            world.scene(item.id, judge),
                            world.operation(intent),
                            world.actor(name),
                            FREIGHT,
                            world.now,
                        )
                        assert isinstance(answer, Outcome | Refusal | Conflict)


def test_the_desk_foresees_what_the_hub_decides_when_nothing_is_routed() -> None:
    world = World()
    lead = world.lead()
    intent = Move(item_id=world.qualification(lead).id, transition="hand_off", to="sales1")
    operation = world.operation(intent)
    actor = world.actor("marketer1")

    desk, hub = (
        settle(world.scene(intent.item_id, judge), operation, actor, FREIGHT, world.now)
        for judge in ("desk", "hub")
    )

    assert desk == hub


def test_the_desk_leaves_routing_to_the_hub() -> None:
    world = World()
    lead = world.lead()
    intent = Move(item_id=world.qualification(lead).id, transition="hand_off")

    outcome = settle(
        world.scene(intent.item_id, "desk"),
        world.operation(intent),
        world.actor("marketer1"),
        FREIGHT,
        world.now,
    )

    assert isinstance(outcome, Outcome)
    assert {item.responsible for item in outcome.items if item.kind == "qualification"} == {None}
