"""From a bearer token to an Actor: the token says which session, the database says what it is still worth.

Invariant: a session's state is believed for at most a second, so logout and a change of role take effect
within that on every node, and at once on the node that made them.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from quintet.domains.accounts import session_queries
from quintet.domains.accounts.issuer import ExternalIssuer
from quintet.domains.accounts.model import SessionState
from quintet.domains.accounts.passwords import Passwords
from quintet.kernel.actor import Actor, SessionId, UserId
from quintet.kernel.database import Database
from quintet.kernel.http.call import Call, Kernel
from quintet.kernel.refusals import NotSignedIn

BELIEVED_SECONDS: Final = 1.0
NOTED_EVERY_SECONDS: Final = 60.0
_MOST_STATES = 50_000


class Nobody:
    """Knows nobody; who authenticates until the server has started."""

    async def __call__(self, token: str) -> Actor:  # noqa: ARG002 (named so by the protocol)
        """Raise NotSignedIn."""
        raise NotSignedIn

    async def of_session(self, session_id: SessionId, token_expires_at: float) -> Actor:  # noqa: ARG002 (as above)
        """Raise NotSignedIn."""
        raise NotSignedIn

    async def ended(self, roles: Mapping[SessionId, str]) -> set[SessionId]:
        """Answer all."""
        return set(roles)


class SessionStates:
    """A bounded memory of what sessions are worth; the least recently read goes first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._states: OrderedDict[UUID, tuple[SessionState | None, float]] = OrderedDict()
        self._underway: dict[UUID, asyncio.Task[SessionState | None]] = {}

    async def get(self, session_id: UUID) -> SessionState | None:
        """The session's state, at most a second old; read once for however many ask at the same time."""
        known = self._states.get(session_id)
        if known is not None and time.monotonic() - known[1] < BELIEVED_SECONDS:
            return known[0]
        task = self._underway.get(session_id)
        if task is None:
            task = asyncio.create_task(self._read(session_id))
            self._underway[session_id] = task
            task.add_done_callback(lambda done: self._finish(session_id, done))
        return await asyncio.shield(task)

    def forget(self, session_id: UUID) -> None:
        """The session was changed just now: what was read or is being read of it is out of date."""
        self._states.pop(session_id, None)
        self._underway.pop(session_id, None)

    async def _read(self, session_id: UUID) -> SessionState | None:
        begun = time.monotonic()
        async with self._database.statement() as tx:
            state = await session_queries.session_state(tx, session_id)
            if state is not None and state.long_unseen and not state.ended:
                await session_queries.touch_sessions(tx, [session_id])
        if self._underway.get(session_id) is asyncio.current_task():
            self._states[session_id] = (state, begun)
            self._states.move_to_end(session_id)
            if len(self._states) > _MOST_STATES:
                self._states.popitem(last=False)
        return state

    def _finish(self, session_id: UUID, done: asyncio.Task[SessionState | None]) -> None:
        if self._underway.get(session_id) is done:
            del self._underway[session_id]
        if not done.cancelled():
            done.exception()  # told to whoever waits; nobody may be left


class Gate:
    """What a running server authenticates with; it stands in the kernel as `authenticate`."""

    def __init__(self, kernel: Kernel) -> None:
        self.passwords = Passwords()
        self.states = SessionStates(kernel.database)
        self._database = kernel.database
        self._noted_at = 0.0
        self._tokens = kernel.tokens
        self._external = ExternalIssuer.from_settings(kernel.settings, kernel.database, kernel.clock)

    async def __call__(self, token: str) -> Actor:
        """The caller whose token it is; raises NotSignedIn, or Unavailable while nothing can be known."""
        if self._external is not None and self._external.claims_issue_of(token):
            return await self._outsider(self._external, token)
        claims = self._tokens.verify(token)
        state = await self.states.get(claims.session_id)
        if state is None or state.ended or state.user_id != claims.user_id:
            raise NotSignedIn
        return Actor(state.user_id, SessionId(claims.session_id), state.role, claims.expires_at)

    async def of_session(self, session_id: SessionId, token_expires_at: float) -> Actor:
        """The caller whose session it is; raises NotSignedIn when it has ended."""
        state = await self.states.get(session_id)
        if state is None or state.ended:
            raise NotSignedIn
        return Actor(UserId(state.user_id), session_id, state.role, token_expires_at)

    async def ended(self, roles: Mapping[SessionId, str]) -> set[SessionId]:
        """Those of these sessions that have ended, or whose user's role is not this one any more.

        The others are noted to be in use, once a minute.
        """
        async with self._database.statement() as tx:
            ended = await session_queries.ended_sessions(tx, roles)
            if time.monotonic() - self._noted_at > NOTED_EVERY_SECONDS:
                self._noted_at = time.monotonic()
                await session_queries.touch_sessions(tx, roles.keys() - ended)
        return ended

    async def _outsider(self, issuer: ExternalIssuer, token: str) -> Actor:
        session, expires_at = await issuer.session_of(token)
        state = await self.states.get(session.session_id)
        if state is None:  # its row was removed, unused for long; the token is good, so it begins anew
            issuer.forget(token)
            session, expires_at = await issuer.session_of(token)
            state = await self.states.get(session.session_id)
        if state is None or state.ended:
            raise NotSignedIn
        return Actor(UserId(state.user_id), session.session_id, state.role, expires_at)


async def start(kernel: Kernel) -> None:
    """Let this domain authenticate the server's callers."""
    kernel.authenticate = Gate(kernel)


def gate_of(call: Call) -> Gate:
    """The gate of the server that a call came to."""
    gate = call.kernel.authenticate
    if not isinstance(gate, Gate):
        raise TypeError("the accounts domain has not started")
    return gate
