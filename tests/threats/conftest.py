"""The threat table of docs/security.md: a module a row, over one hub with planted canaries."""

from __future__ import annotations

from tests.services.conftest import cheap_passphrases as cheap_passphrases
from tests.services.conftest import hub as hub
from tests.services.conftest import sit as sit
