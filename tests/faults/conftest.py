"""Tests of faults on the hub's side run on SQLite and on PostgreSQL, as those of the hub do."""

from __future__ import annotations

from tests.hub.conftest import backend as backend
from tests.hub.conftest import cheap_passwords as cheap_passwords
from tests.hub.conftest import database_url as database_url
from tests.hub.conftest import hub as hub
from tests.hub.conftest import postgres_template as postgres_template
from tests.hub.conftest import quiet_log as quiet_log
from tests.hub.conftest import sqlite_template as sqlite_template
