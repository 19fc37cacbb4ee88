"""Python's search for cyclic garbage, put off while rows pass through.

Rows hold no cycles, but thousands of them make Python look for some again and again, and every
search stops all threads: of an application with a board open, for a tenth of a second.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator
from contextlib import contextmanager

_guard = threading.Lock()
_holders = 0
_was_on = False


@contextmanager
def put_off() -> Generator[None]:
    """Let nobody search until the block ends, and no other thread is in such a block."""
    global _holders, _was_on
    with _guard:
        if _holders == 0:
            _was_on = gc.isenabled()
            gc.disable()
        _holders += 1
    try:
        yield
    finally:
        with _guard:
            _holders -= 1
            if _holders == 0 and _was_on:
                gc.enable()
