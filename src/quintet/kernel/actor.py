"""Who calls. An Actor is passed from hand to hand, never global."""

import math
from collections.abc import Mapping
from enum import IntEnum
from typing import NewType, Protocol
from uuid import UUID

import msgspec

UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)


class Access(IntEnum):
    """Who may call a route; each level includes those below it."""

    PUBLIC = 0
    SIGNED_IN = 1
    MODERATOR = 2
    ADMIN = 3


ROLES = {"user": Access.SIGNED_IN, "moderator": Access.MODERATOR, "admin": Access.ADMIN}


class Actor(msgspec.Struct, frozen=True):
    """A signed-in caller, as the server's own state says (not as the token claims)."""

    id: UserId
    session_id: SessionId
    role: str
    token_expires_at: float = math.inf  # Unix seconds

    @property
    def access(self) -> Access:
        """What the role allows."""
        return ROLES[self.role]


class Authenticate(Protocol):
    """Whatever knows the callers; the accounts domain puts its own in the kernel's place for one."""

    async def __call__(self, token: str) -> Actor:
        """The caller whose access token it is; raises NotSignedIn."""
        ...

    async def of_session(self, session_id: SessionId, token_expires_at: float) -> Actor:
        """The caller whose session it is; raises NotSignedIn when it has ended."""
        ...

    async def ended(self, roles: Mapping[SessionId, str]) -> set[SessionId]:
        """Those of these sessions that have ended, or whose user's role is not this one any more.

        The others are in use, and may be noted so.
        """
        ...
