"""What an operation leaves behind: versions, deadlines, points; robots and routing on the hub."""

import msgspec
import pytest

from desk.domain.decide import settle
from desk.domain.effects import (
    Assigned,
    Effect,
    Filled,
    Outcome,
    SubjectCreated,
    SubjectFilled,
    TaskClosed,
    Worked,
    apply,
)
from desk.domain.model import (
    CAMPAIGN_LIMIT,
    TITLE_LIMIT,
    Actor,
    Item,
    Person,
    Subject,
    Task,
    Value,
)
from desk.domain.operations import Create, Move, Operation
from desk.domain.playbook import Choose, Playbook
from desk.domain.playbook_loader import load
from desk.domain.refusals import Refusal
from desk.domain.routing import choose
from desk.domain.scene import Scene, new_scene
from tests.domain.test_playbook_loader import WHOLE
from tests.domain.world import FREIGHT, START

NOW = START + 60_000
_ID = "01900000-0000-7000-8000-000000000001"
replace = msgspec.structs.replace


def _item(**more: object) -> Item:
    plain = Item(
        id="i",
        kind="lead",
        stage="new",
        title="Москва — Казань",
        created_at=START,
        updated_at=START,
        stage_since=START,
        version=7,
        subject_id="s",
        fields={"cargo": "food", "company": "ООО"},
        field_versions={"cargo": 2, "company": 3},
    )
    return replace(plain, **more)


def _task(number: int, due: int) -> Task:
    return Task(
        id=f"t{number}", item_id="i", type="call_sales", title="", assignee=None,
        due_at=due, created_at=START, version=4,
    )  # fmt: skip


SCENE = Scene(
    item_id="i",
    items=(_item(due_at=START + 1),),
    tasks=(_task(1, START + 1), _task(2, START + 2)),
    subjects=(Subject(id="s", version=3, fields={"name": "Иван"}, field_versions={"name": 1}),),
)


def test_a_version_counts_on_once_however_much_changes() -> None:
    effects: list[Effect] = [
        Worked(item_id="i"),
        Filled(item_id="i", values={"cargo": "metal", "route_to": "Пермь", "company": None}),
        Filled(item_id="i", values={"route_from": "Омск"}),
        Assigned(item_id="i", column="responsible", user="a"),
        Assigned(item_id="i", column="responsible", user="b"),
    ]

    (item,) = apply(SCENE, effects, FREIGHT, NOW).items

    assert item.version == 8
    assert item.updated_at == NOW
    assert item.fields == {"cargo": "metal", "route_to": "Пермь", "route_from": "Омск"}
    assert item.field_versions == {"cargo": 8, "company": 8, "route_to": 8, "route_from": 8}


def test_what_stays_the_same_is_no_change() -> None:
    effects: list[Effect] = [
        Filled(item_id="i", values={"cargo": "food"}),
        Assigned(item_id="i", column="owner", user=None),
        SubjectFilled(subject_id="s", values={"name": "Иван"}),
    ]

    outcome = apply(SCENE, effects, FREIGHT, NOW)

    assert (outcome.items, outcome.subjects, outcome.tasks) == ((), (), ())


def test_a_subjects_version_counts_on_once() -> None:
    effects: list[Effect] = [
        SubjectFilled(subject_id="s", values={"name": "Пётр"}),
        SubjectFilled(subject_id="s", values={"position": "Логист", "name": None}),
    ]

    (subject,) = apply(SCENE, effects, FREIGHT, NOW).subjects

    assert subject.version == 4
    assert subject.fields == {"position": "Логист"}
    assert subject.field_versions == {"name": 4, "position": 4}


def test_a_new_subject_that_is_filled_is_still_its_first_version() -> None:
    effects: list[Effect] = [
        SubjectCreated(subject=Subject(id="new")),
        SubjectFilled(subject_id="new", values={"name": "Пётр"}),
    ]

    (subject,) = apply(SCENE, effects, FREIGHT, NOW).subjects

    assert subject == Subject(id="new", fields={"name": "Пётр"}, field_versions={"name": 1})


def test_a_task_is_closed_once_by_the_first_who_closes_it() -> None:
    effects: list[Effect] = [TaskClosed(task_id="t1", by="a"), TaskClosed(task_id="t1", by="b")]

    outcome = apply(SCENE, effects, FREIGHT, NOW)

    (task,) = outcome.tasks
    assert (task.version, task.closed_at, task.closed_by) == (5, NOW, "a")
    assert [item.due_at for item in outcome.items] == [START + 2]


def test_a_card_without_open_tasks_has_no_deadline() -> None:
    effects: list[Effect] = [TaskClosed(task_id=f"t{n}", by=None) for n in (1, 2)]

    (item,) = apply(SCENE, effects, FREIGHT, NOW).items

    assert item.due_at is None
    assert item.version == 8


def test_points_follow_the_fields() -> None:
    def filled(**values: object) -> int:
        effect = Filled(item_id="i", values=dict(values))  # pyright: ignore[reportArgumentType]
        (item,) = apply(SCENE, [Worked(item_id="i"), effect], FREIGHT, NOW).items
        return item.score

    assert filled() == 15
    assert filled(source="site") == 45
    assert filled(source="telegram", weight_t=10) == 35
    assert filled(route_from="Омск", route_to="Пермь", budget=5_000_000) == 50
    assert filled(company=None) == 0


def _people(*people: tuple[str, str, bool, int]) -> Scene:
    return Scene(
        item_id="i",
        people=tuple(
            Person(id=name, name=name, role=role, present=present, load=load)
            for name, role, present, load in people
        ),
        judge="hub",
    )


_TEAM = _people(
    ("s1", "sales", True, 5), ("s2", "sales", True, 2), ("s3", "sales", False, 0),
    ("s4", "sales", True, 2), ("m1", "marketer", True, 0),
)  # fmt: skip
_ROUTE = Choose(roles=("sales",), route=True, prefer_last=True)


@pytest.mark.parametrize(
    ("asked", "last", "chosen"),
    [
        (None, None, "s2"),
        (None, "s1", "s1"),
        (None, "s3", "s2"),
        (None, "m1", "s2"),
        ("s3", "s1", "s3"),
        ("m1", None, Refusal("user_wrong_role", {"user": "m1", "roles": "sales"})),
        ("nobody", None, Refusal("user_unknown", {"user": "nobody"})),
    ],
)
def test_the_hub_chooses_the_one_asked_for_or_the_last_or_the_least_loaded(
    asked: str | None, last: str | None, chosen: object
) -> None:
    assert choose(_TEAM, _ROUTE, asked, last) == chosen


def test_who_left_the_company_is_never_chosen() -> None:
    left = tuple(replace(one, active=False) for one in _TEAM.people)
    gone = replace(_TEAM, people=left)

    assert choose(gone, _ROUTE, None, "s1") == Refusal("nobody_present")
    assert choose(gone, _ROUTE, "s1", None) == Refusal("user_unknown", {"user": "s1"})


def test_a_choice_is_the_persons_where_the_hub_may_not_route() -> None:
    rule = Choose(roles=("sales",))

    assert choose(_TEAM, rule, None, "s1") == Refusal("choose_user")
    assert choose(_TEAM, rule, "s1", None) == "s1"
    assert choose(_TEAM, None, None, "s1") is None
    assert choose(_TEAM, None, "s1", None) == Refusal("nobody_to_choose")


def _breeding(judge: str) -> tuple[Playbook, Scene, Operation]:
    """A playbook whose robot answers every new card with one more."""
    robot = WHOLE.replace(
        'do = "count"\nevent = "arrived"', 'do = "create"\nkind = "card"\nresponsible = "actor"'
    ).replace("if = 'responsible_role = \"clerk\"'\n", "")
    playbook = load(robot, "breeding.toml")
    scene = new_scene(
        _ID,
        [Person(id="c", name="c", role="clerk")],
        judge,  # pyright: ignore[reportArgumentType]
    )
    return playbook, scene, Operation(id=_ID, at=0, intent=Create(kind="card", title="Первая"))


def test_titles_and_campaigns_are_cut_to_what_is_kept_of_them() -> None:
    long = "к" * 400
    qualified = _item(
        kind="qualification", stage="in_work", responsible="m", owner="m", parent_id="l",
        fields={"company": long, "utm_campaign": long},
    )  # fmt: skip
    scene = Scene(item_id="i", items=(qualified, _item(id="l")), judge="hub")
    values: dict[str, Value] = {"target_direction": "ftl", "monthly_volume": 3}
    won = Operation(id=_ID, at=0, intent=Move(item_id="i", transition="target", fields=values))
    outcome = settle(scene, won, Actor("m", "marketer"), FREIGHT, NOW)

    assert isinstance(outcome, Outcome)
    assert [len(one.title) for one in outcome.items if one.kind == "company"] == [TITLE_LIMIT]
    assert {len(one.campaign) for one in outcome.tallies} == {CAMPAIGN_LIMIT}


def test_robots_that_set_each_other_off_stop() -> None:
    playbook, scene, operation = _breeding("hub")
    outcome = settle(scene, operation, Actor("c", "clerk"), playbook, NOW)

    assert isinstance(outcome, Outcome)
    assert 2 <= len(outcome.items) <= 5
    assert len({item.id for item in outcome.items}) == len(outcome.items)
    assert outcome == settle(scene, operation, Actor("c", "clerk"), playbook, NOW)


def test_a_desk_runs_no_robots() -> None:
    playbook, scene, operation = _breeding("desk")
    outcome = settle(scene, operation, Actor("c", "clerk"), playbook, NOW)

    assert isinstance(outcome, Outcome)
    assert [item.id for item in outcome.items] == [_ID]
