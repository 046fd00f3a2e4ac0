"""Who calls. An Actor is passed from hand to hand, never global."""

from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import NewType
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

    @property
    def access(self) -> Access:
        """What the role allows."""
        return ROLES[self.role]


# From a bearer token to an Actor; raises NotSignedIn.
Authenticate = Callable[[str], Awaitable[Actor]]
