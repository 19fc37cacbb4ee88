"""The messages of one's own sessions and password.

========  ====================  =====================================================
method    path                  request → answer
========  ====================  =====================================================
GET       /v1/sessions          → Sessions
POST      /v1/sessions/end      EndSession → nothing
POST      /v1/password          NewPassword → nothing; one's other sessions end
========  ====================  =====================================================
"""

from __future__ import annotations

import msgspec

from desk.domain.model import Unspoken


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A session on a device; ``renewed_at`` is when it got its last tokens. Moments are in ms."""

    id: str
    device: str
    device_name: str
    created_at: int
    renewed_at: int
    current: bool


class Sessions(msgspec.Struct, frozen=True, kw_only=True):
    """One's sessions, the latest used first."""

    sessions: list[SessionInfo]


class EndSession(msgspec.Struct, frozen=True, kw_only=True):
    """Ends one of one's own sessions."""

    id: str


class NewPassword(Unspoken, frozen=True, kw_only=True):
    """A password in place of the current one."""

    current: str
    new: str
