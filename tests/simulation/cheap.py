"""What makes a simulation quick and its pages small, and changes nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import pytest
import structlog
from argon2 import PasswordHasher

from desk.domain.playbook_loader import load
from desk.services import vault

#: So that a few rows make several pages, and a few operations several batches.
SMALL = {
    "bootstrap._ITEMS": 3,
    "bootstrap._HEAD_START": 2,
    "comparison.WINDOW": 4,
    "comparison._PARTS": 2,
    "comparison._AT_ONCE": 2,
    "pull._CHANGES": 5,
    "push._BATCH": 3,
    "reconcile._ITEMS": 2,
    "reconcile._MOST_ITEMS": 12,
}


@contextmanager
def cheaply() -> Iterator[None]:
    """Passwords are stretched little, a playbook is read once and not once a desk, nothing is
    logged, and pages are small."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        patch.setattr("desk.hub.passwords._HASHER", cheap)
        patch.setattr(vault, "COST", (64, 1, 1))
        patch.setattr("desk.services.context.load", lru_cache(maxsize=64)(load))
        for limit, small in SMALL.items():
            patch.setattr(f"desk.services.{limit}", small)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        yield
        structlog.reset_defaults()
