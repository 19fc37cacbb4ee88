"""What every screen may ask of the application that holds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from desk.screens.news import Asked
from desk.screens.words import said
from desk.services.errors import DeskError
from desk.text import _
from desk.widgets.actions import Acting, ActionApp
from desk.widgets.keyboard import PositionalApp
from desk.widgets.safe import GuardedApp

if TYPE_CHECKING:
    from desk.domain.model import Person
    from desk.domain.operations import Intent
    from desk.domain.playbook import Playbook
    from desk.services.desk import Desk
    from desk.services.views import Card, Done

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Result = TypeVar("_Result")


class RowsArrived(Message):
    """Items changed, came or went; which ones is gathered where it is handled."""

    def can_replace(self, message: Message) -> bool:
        """A burst of them is worth one."""
        return isinstance(message, RowsArrived)


class StatusArrived(Message):
    """The status line has something new to say."""

    def can_replace(self, message: Message) -> bool:
        """A burst of them is worth one."""
        return isinstance(message, StatusArrived)


class Shell(Acting, ActionApp, GuardedApp, PositionalApp):
    """The services a screen stands on: the desk, its only writing thread, and words for people.

    Reading is quick enough for the main thread. Writing is not always (a pull may hold the
    database), so each write runs in one thread, in the order it was asked for.
    """

    def __init__(self) -> None:
        super().__init__()
        self._desk: Desk | None = None
        self._writing = ThreadPoolExecutor(1, "desk-write")
        #: What the person himself has asked for since the start, to tell it from others' changes.
        self.asked = Asked()

    @property
    def desk(self) -> Desk:
        """The open desk; screens that use it are shown only when there is one."""
        assert self._desk is not None
        return self._desk

    @property
    def is_open(self) -> bool:
        """Whether the vault is open and somebody is signed in."""
        return self._desk is not None

    @property
    def playbook(self) -> Playbook:
        return self.desk.playbook

    @property
    def people(self) -> Mapping[str, Person]:
        return self.desk.people()

    def now(self) -> int:
        """The moment that ages and deadlines are shown against, UTC milliseconds."""
        import time

        return time.time_ns() // 1_000_000

    async def write(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run `work` in the writing thread and give back what it returns or raises.

        Work that was begun is ended even if nobody waits for it any more.
        """
        future = self._writing.submit(work, *args, **kwargs)
        return await asyncio.shield(asyncio.wrap_future(future))

    async def do(self, intent: Intent) -> Done:
        """Apply an intent and queue it. Raises what `Desk.do` raises."""
        return await self._ask([intent], lambda: self.desk.do(intent))

    async def retry(self, entry_id: str, intents: Sequence[Intent]) -> Done:
        """Ask anew for an entry of the inbox; `intents` are those that are sent with it.

        Raises what `Desk.retry` raises.
        """
        return await self._ask(intents, lambda: self.desk.retry(entry_id))

    async def _ask(self, intents: Sequence[Intent], work: Callable[[], Done]) -> Done:
        # Noted before the write: the rows it changes are heard of before its answer.
        for intent in intents:
            self.asked.note(intent)
        try:
            return await self.write(work)
        except DeskError:
            for intent in intents:
                self.asked.take_back(intent)
            raise

    def go(self, work: Coroutine[Any, Any, None]) -> None:
        """Let `work` run beside the keyboard; closing the screen that began it does not stop it."""
        self.run_worker(work, group="work", exit_on_error=True)

    def keep_draft(self, item_id: str, form: str, values: Mapping[str, str]) -> None:
        """Put what was typed on the disk; nothing typed drops the draft.

        It is handed to the writing thread before this returns, so leaving at once loses nothing.
        """
        if values:
            future = self._writing.submit(self.desk.save_draft, item_id, form, values)
        else:
            future = self._writing.submit(self.desk.drop_draft, item_id, form)
        self.go(self._kept(future))

    def journal(self, work: Callable[[], None]) -> None:
        """Note what the person sees, beside the keyboard: nobody waits for the disk."""
        self.go(self._kept(self._writing.submit(work)))

    async def _kept(self, future: Future[None]) -> None:
        try:
            await asyncio.shield(asyncio.wrap_future(future))
        except DeskError as error:
            self.warn(error)

    def frame(self) -> Iterable[Widget]:
        """What stands at the bottom of every screen."""
        raise NotImplementedError

    def explain(self, error: DeskError, kind: str | None = None) -> str:
        """What went wrong and what to do, in the reader's language."""
        refusal = getattr(error, "refusal", None)
        if refusal is not None:
            return said(refusal, self._desk.playbook if self._desk else None, kind)
        return error.text(_)

    def warn(self, error: DeskError, kind: str | None = None) -> None:
        """Say in one line why something did not happen."""
        self.notify(self.explain(error, kind), severity="warning")


class DeskScreen(Acting, Screen[_Result]):
    """A screen of a Shell."""

    @property
    def shell(self) -> Shell:
        return cast("Shell", self.app)

    @property
    def desk(self) -> Desk:
        return self.shell.desk


def card_in_sight(shell: Shell, item_id: str) -> Card | None:
    """The card, if the person may see it and the playbook still knows its kind."""
    try:
        card = shell.desk.card(item_id)
    except DeskError:
        return None
    return card if card.item.kind in shell.playbook.kinds else None
