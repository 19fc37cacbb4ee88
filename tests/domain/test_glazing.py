"""The glazing dealer: from the first processing over MQL and SQL to a deal, and who sees what."""

import pytest

from desk.domain.model import Item, Standing, Subject
from desk.domain.operations import Create, Move
from desk.domain.refusals import Refusal
from desk.domain.rights import MASK, mask_subject
from tests.domain.world import START, World, shipped

GLAZING = shipped("glazing")
_PEOPLE = (("marketer1", "marketer"), ("manager1", "manager"), ("head", "head"))


@pytest.fixture
def world() -> World:
    return World(GLAZING, _PEOPLE)


def _lead(world: World) -> Item:
    made = world.do(
        "marketer1",
        Create(
            kind="lead", title="Балкон 6 м²", fields={"object": "balcony", "source": "telegram"}
        ),
    )
    return made.items[0]


def _moved(world: World, who: str, lead: Item, transition: str, **fields: object) -> Item:
    world.do(who, Move(item_id=lead.id, transition=transition, fields=fields))  # pyright: ignore[reportArgumentType]
    return world.items[lead.id]


def test_a_manager_gets_tasks_on_mql_and_on_sql_alone(world: World) -> None:
    lead = _lead(world)
    assert world.open_calls(lead.id) == []

    lead = _moved(world, "marketer1", lead, "to_mql")
    assert (lead.stage, lead.responsible) == ("mql", "manager1")
    assert world.open_calls(lead.id) == [("verify", "manager1")]

    lead = _moved(world, "manager1", lead, "to_sql", area_m2=6)
    assert world.open_calls(lead.id) == [("act", "manager1")]


def test_an_mql_needs_an_object_and_an_sql_an_area(world: World) -> None:
    bare = world.do("marketer1", Create(kind="lead", title="Окна")).items[0]
    unfit = world.ask("marketer1", Move(item_id=bare.id, transition="to_mql"))
    assert isinstance(unfit, Refusal)
    assert unfit.code == "missing_fields"

    lead = _moved(world, "marketer1", _lead(world), "to_mql")
    unsure = world.ask("manager1", Move(item_id=lead.id, transition="to_sql"))
    assert isinstance(unsure, Refusal)
    assert unsure.args["fields"]


def test_marketing_hears_why_a_lead_comes_back(world: World) -> None:
    lead = _moved(world, "marketer1", _lead(world), "to_mql")

    mute = world.ask("manager1", Move(item_id=lead.id, transition="back"))
    assert isinstance(mute, Refusal)
    world.do("manager1", Move(item_id=lead.id, transition="back", comment="Нет адреса"))

    assert world.items[lead.id].stage == "first"
    assert world.items[lead.id].responsible == "marketer1"
    assert world.entries[-1].comment == "Нет адреса"


def test_an_sql_becomes_a_deal_with_the_values_of_the_lead(world: World) -> None:
    lead = _moved(world, "marketer1", _lead(world), "to_mql")
    lead = _moved(world, "manager1", lead, "to_sql", area_m2=6)
    lead = _moved(world, "manager1", lead, "deal")

    deal = next(item for item in world.items.values() if item.kind == "deal")
    assert lead.stage == "won"
    assert (deal.fields["object"], deal.fields["area_m2"]) == ("balcony", 6)
    assert deal.subject_id == lead.subject_id


def test_a_manager_sees_that_the_permissions_exist_and_not_the_data() -> None:
    given = {"calls": Standing(given_at=START, text_version=1, channel="site")}
    subject = Subject(
        id="s",
        fields={
            "name": "Анна Орлова",
            "phone": "+79123456789",
            "birth_date": "1990-01-31",
            "notes": "перезвонить маме",
        },
        consents=given,
    )

    shown = mask_subject(GLAZING, "manager", subject)

    assert shown.consents == given
    assert shown.fields["birth_date"] == MASK
    assert "9123456" not in str(shown.fields["phone"])
    assert "notes" not in shown.fields
