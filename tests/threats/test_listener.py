"""Somebody listens on the network, or stands between a desk and its hub."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from desk.hub.errors import SetupError
from desk.hub.server import serve
from desk.services.desk import Desk
from desk.services.errors import InsecureHub
from tests.hub_process import HubProcess
from tests.services.rooms import PASSPHRASE


def test_a_desk_sends_no_password_where_others_can_read_it(tmp_path: Path) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(500)

    with Desk.open(tmp_path, PASSPHRASE, transport=httpx.MockTransport(answer)) as desk:
        for hub in ("http://desk.example.com", "http://192.0.2.7:8765"):
            with pytest.raises(InsecureHub):
                desk.sign_in(hub, "marketer1", "a password")
    assert asked == []


def test_a_hub_listens_to_the_network_with_tls_alone(hub: HubProcess) -> None:
    with pytest.raises(SetupError) as raised:
        serve(hub.db_url, "0.0.0.0", 0)
    assert raised.value.code == "tls_needed"
