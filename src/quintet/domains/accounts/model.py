"""What accounts are made of: rows, bodies, answers, refusals.

Invariant: no answer holds a hash, and only `SignedIn` holds tokens.
"""

from datetime import datetime
from typing import Annotated, Literal, NewType
from uuid import UUID

import msgspec
from msgspec import Meta

from quintet.kernel.actor import SessionId, UserId
from quintet.kernel.clock import Instant
from quintet.kernel.refusals import Conflict, Unauthorized

IdentityId = NewType("IdentityId", UUID)

# Bounds for decoding only; what a good value is, rules.py says.
_Text = Annotated[str, Meta(max_length=1024)]


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a sign-up."""

    email: _Text
    password: _Text
    username: _Text | None = None
    display_name: _Text | None = None


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a login: a password with either an e-mail or a username."""

    password: _Text
    email: _Text | None = None
    username: _Text | None = None


class Refresh(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a refresh."""

    refresh_token: _Text


class PasswordChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a change of password."""

    current_password: _Text
    new_password: _Text


class Account(msgspec.Struct, frozen=True):
    """What everybody may know of a person."""

    id: UserId
    username: str
    display_name: str


class Me(Account, frozen=True):
    """What a person is told of themselves."""

    email: str | None
    email_verified: bool
    role: str
    created_at: Instant


class SignedIn(msgspec.Struct, frozen=True):
    """The answer to whoever has just proved who they are."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"]
    expires_in: int
    user: Me


class SessionRow(msgspec.Struct, frozen=True):
    """A living session, as read."""

    id: SessionId
    created_at: Instant
    last_seen_at: Instant
    user_agent: str


class Session(SessionRow, frozen=True):
    """A living session, as shown to its owner; `current` is the one that asks."""

    current: bool


class SessionState(msgspec.Struct, frozen=True):
    """What decides whether a session's tokens are still good, and what they are good for."""

    user_id: UserId
    role: str
    ended: bool
    long_unseen: bool


class KnownPassword(msgspec.Struct, frozen=True):
    """What a login is checked against; `trusted` when this address signed in here within 30 days."""

    user_id: UserId
    hash: str | None
    changed_at: datetime | None
    username: str
    email: str | None
    trusted: bool


class RefreshTokenState(msgspec.Struct, frozen=True):
    """A refresh token by the database's clock; `just_spent` means within the last ten seconds."""

    expired: bool
    spent: bool
    just_spent: bool


class LockedSession(msgspec.Struct, frozen=True):
    """The session of a refresh token, locked until the transaction ends."""

    id: SessionId
    user_id: UserId
    ended: bool


class Opened(msgspec.Struct, frozen=True):
    """A session just opened or renewed, and the refresh token that carries it on."""

    session_id: SessionId
    refresh_token: str
    user: Me


class ExternalClaims(msgspec.Struct, frozen=True):
    """What a verified token of the outside issuer says, as far as we believe it."""

    issuer: str
    subject: str
    session: str  # of the issuer's own sessions, or of this one token where it names none
    expires_at: float
    email: str | None  # only where the issuer has verified it
    name: str  # what a username may be made of


class ExternalSession(msgspec.Struct, frozen=True):
    """Where an outside token leads to."""

    session_id: SessionId
    user_id: UserId


class EmailTaken(Conflict):
    """Somebody has an account with this e-mail address."""


class UsernameTaken(Conflict):
    """Somebody has this username, or one that looks like it."""


class NoPassword(Conflict):
    """The account has no password: it signs in through an outside issuer."""


class WrongCredentials(Unauthorized):
    """No account with this name and this password."""


class InvalidRefreshToken(Unauthorized):
    """The refresh token is unknown, spent, ended or expired: sign in again."""
