"""What every test stands on: one environment, one language, one time zone, repeatable examples."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from desk import text
from tests.postgres import postgres_url as postgres_url

# These change colours, words, places and times.
for _name in ("NO_COLOR", "FORCE_COLOR", "TEXTUAL_THEME", "DESK_HOME", "DESK_PASSPHRASE_FILE"):
    os.environ.pop(_name, None)
for _name in ("DESK_HUB_KEY_FILE", "DESK_HUB_KEY_NEXT"):
    os.environ.pop(_name, None)
os.environ.update(
    DESK_LANG="en",
    LC_ALL="C.UTF-8",
    TZ="Europe/Moscow",
    # No test reads or writes the keyring of whoever runs it.
    PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
    # The master key of every hub under test.
    DESK_HUB_KEY="dGhlIG1hc3RlciBrZXkgb2YgaHVicyB1bmRlciB0ZXM=",
)
if hasattr(time, "tzset"):
    time.tzset()

settings.register_profile(
    "repeatable",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("searching", parent=settings.get_profile("repeatable"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(autouse=True)
def each_test_starts_in_english() -> Iterator[None]:
    """Whatever language and zone the test before chose."""
    text.use("en")
    text.use_zone(None)
    yield
    text.use("en")
    text.use_zone(None)
