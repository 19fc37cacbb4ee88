"""No answer tells what its reader may not see, also not one that was given before."""

from __future__ import annotations

from desk.domain.operations import EditFields, EditSubject
from desk.hub.administration import change_role
from desk.protocol.messages import Pushed
from tests.hub.hubs import Desk, Hub, move, qualification, read


def test_a_stored_answer_is_given_again_only_as_far_as_it_may_be_read_by_now(hub: Hub) -> None:
    """A conflict's answer was lost; the rights are narrowed; then the desk asks again."""
    lead, card = qualification(hub, "marketer1", name="Анна", phone="+79123456789")
    first, second = hub.desk("marketer1"), hub.desk("marketer2")
    first.done(EditFields(item_id=card, fields={"need": "canary-need"}))
    first.done(EditSubject(item_id=lead, fields={"phone": "+79990000001"}))
    late = [
        second.operation(EditFields(item_id=card, fields={"need": "x"}, base={"need": 1})),
        second.operation(
            EditSubject(item_id=lead, fields={"phone": "+79990000002"}, base={"phone": 1})
        ),
    ]
    answered = second.send(*late)
    assert [one.result for one in read(answered, Pushed).results] == ["conflict"] * 2
    assert "canary-need" in answered.text
    assert "+79990000001" in answered.text
    change_role(hub.database, "marketer2", "director", hub.clock())
    again = second.send(*late)
    assert [one.result for one in read(again, Pushed).results] == ["conflict"] * 2
    assert "canary-need" not in again.text
    assert "+79990000001" not in again.text


def test_a_stored_answer_tells_nothing_of_a_card_that_left_sight(hub: Hub) -> None:
    _, card = qualification(hub, "marketer1", name="Анна")
    first, second = hub.desk("marketer1"), hub.desk("marketer2")
    first.done(EditFields(item_id=card, fields={"need": "canary-need"}))
    late = second.operation(EditFields(item_id=card, fields={"need": "x"}, base={"need": 1}))
    assert "canary-need" in second.send(late).text
    change_role(hub.database, "marketer2", "sales", hub.clock())
    assert "canary-need" not in second.send(late).text
    assert sees(second, card) is False


def sees(desk: Desk, item_id: str) -> bool:
    desk.bootstrap()
    return item_id in desk.rows["item"]


def test_a_new_device_gets_nothing_that_was_shared_with_its_user_before(hub: Hub) -> None:
    lead, card = qualification(hub, "marketer1", name="canary-name")
    marketer, sales = hub.desk("marketer1"), hub.desk("sales1")
    marketer.done(move(card, "hand_off", to="sales1"))
    sales.bootstrap()
    assert set(sales.rows["item"]) == {lead, card}
    sales.done(move(card, "return", comment="не наш"))
    fresh = hub.desk("sales1")
    answers = [fresh.get("/v1/snapshot"), fresh.get("/v1/snapshot", order="urgent")]
    fresh.bootstrap()
    answers.append(fresh.get("/v1/changes", cursor=fresh.cursor))
    assert fresh.rows["item"] == {}
    assert all("canary-name" not in one.text for one in answers)
