"""What a rule looks at: one item with its family, their open tasks, subjects, and the people."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from desk.domain.model import Item, Person, Subject, Task
from desk.domain.playbook import Playbook


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """The family is a root item and every item whose parent is that root.

    ``judge`` is who asks: robots and routing by presence and load are the hub's alone.
    """

    item_id: str
    items: tuple[Item, ...] = ()
    tasks: tuple[Task, ...] = ()
    subjects: tuple[Subject, ...] = ()
    people: tuple[Person, ...] = ()
    judge: Literal["desk", "hub"] = "desk"

    @property
    def item(self) -> Item | None:
        """The item the operation is about."""
        return find(self.items, self.item_id)

    def person(self, identifier: str | None) -> Person | None:
        """A user by his name."""
        return next((one for one in self.people if one.id == identifier), None)

    def subject_of(self, item: Item) -> Subject | None:
        """The subject an item speaks of."""
        return next((one for one in self.subjects if one.id == item.subject_id), None)


def new_scene(
    item_id: str, people: Sequence[Person], judge: Literal["desk", "hub"] = "desk"
) -> Scene:
    """The scene of an operation that creates the first item of a family."""
    return Scene(item_id=item_id, people=tuple(people), judge=judge)


def find(items: Sequence[Item], identifier: str) -> Item | None:
    """The item of that id."""
    return next((item for item in items if item.id == identifier), None)


def linked(items: Sequence[Item], me: Item, reference: str, playbook: Playbook) -> Item | None:
    """The item that ``reference`` ("self" or a kind) means beside ``me``, newest open one first."""
    if reference == "self":
        return find(items, me.id)
    same = [item for item in items if item.kind == reference]
    if not same:
        return None
    kind = playbook.kinds[reference]
    return max(same, key=lambda item: (not kind.is_final(item.stage), item.created_at, item.id))
