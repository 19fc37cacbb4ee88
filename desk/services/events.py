"""Who wants to know of changes, and telling them, from whichever thread a change comes."""

from __future__ import annotations

import threading
from collections.abc import Callable

from desk.services.views import Event, Listener, RowsChanged


class Events:
    """The listeners of one desk. A listener is called in the thread where the change happened."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with every event from now on; the answer ends that."""
        with self._guard:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._guard:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return unsubscribe

    def emit(self, event: Event) -> None:
        """Tell everybody; with nothing changed, nobody."""
        if isinstance(event, RowsChanged) and event.ids is not None and not event.ids:
            return
        for listener in self._listeners:
            listener(event)
