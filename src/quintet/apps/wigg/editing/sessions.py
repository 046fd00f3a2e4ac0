"""The verbs of edit sessions: start, prolong, end, and end by themselves.

Invariant: a session ends once, in the transaction that tells its title's room so. Locks are taken in this
order: advisory lock of user and title, session, curve, room.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from quintet.apps.wigg import access
from quintet.apps.wigg.editing import session_queries
from quintet.apps.wigg.editing.model import EditModeEntered, EditModeLeft, EditSession, OpenSession
from quintet.apps.wigg.editing.session_queries import LeftSession
from quintet.apps.wigg.queries import Own
from quintet.domains.catalogue import title_room, work_to_see
from quintet.kernel.actor import Actor
from quintet.kernel.database import Database, Tx
from quintet.kernel.http.call import Kernel
from quintet.kernel.ids import new_id

MOST_OPEN: Final = 20  # per user; starting another ends the oldest
# Taking a whole session back must stay a matter of moments; a client whose session is full starts another.
MOST_ACTIONS: Final = 5000
_KEPT: Final = timedelta(days=30)
_LOOK_EVERY_SECONDS: Final = 2
_MOST_AT_ONCE: Final = 100


async def start_session(tx: Tx, actor: Actor, title_id: str, idle_seconds: int) -> OpenSession:
    """Begin to edit a title's graph."""
    work = await work_to_see(tx, title_id)
    _tell_left(tx, await session_queries.end_all_but_newest(tx, actor.id, MOST_OPEN - 1))
    session_id = new_id()
    expires_at = await session_queries.insert_session(tx, actor.id, work.id, session_id, idle_seconds)
    entered = EditModeEntered(user_id=actor.id, title_id=work.id, session_id=session_id, timestamp=tx.now)
    tx.emit(title_room(work.id), entered)
    return OpenSession(session_id, expires_at)


async def prolong_session(tx: Tx, actor: Actor, title_id: str, session_id: UUID) -> OpenSession:
    """Let one's own session last anew from now."""
    session = await access.session_to_keep(tx, actor, title_id, session_id)
    return OpenSession(session.id, await session_queries.prolong(tx, session.id))


async def end_session(tx: Tx, actor: Actor, title_id: str, session_id: UUID) -> EditSession:
    """End one's own session."""
    session = await access.session_to_keep(tx, actor, title_id, session_id)
    await session_queries.end_session(tx, session.id)
    _tell_left(tx, [LeftSession(session.id, actor.id, session.title_id)])
    return msgspec.structs.replace(session, ended_at=tx.now)


async def count_actions(tx: Tx, actor: Actor, own: Own, done_in: Iterable[UUID | None]) -> None:
    """Note that something was done in sessions that `own` holds: they last anew; one that is full ends."""
    counts = Counter(session_id for session_id in done_in if session_id is not None)
    if not counts:
        return
    await session_queries.count_actions(tx, counts, MOST_ACTIONS)
    full = (one for one in own.sessions if one.actions_count + counts[one.id] >= MOST_ACTIONS)
    _tell_left(tx, [LeftSession(one.id, actor.id, own.title_id) for one in full])


async def keep_ending_sessions(kernel: Kernel) -> None:
    """End the sessions that have run out, for as long as the server runs."""
    while True:
        if await end_expired_sessions(kernel.database) < _MOST_AT_ONCE:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


async def end_expired_sessions(database: Database) -> int:
    """End sessions that have run out, a bounded part of them, and forget very old ones; how many ended."""

    async def act(tx: Tx) -> int:
        left = await session_queries.end_expired(tx, _MOST_AT_ONCE)
        _tell_left(tx, left)
        await session_queries.forget_sessions(tx, tx.now - _KEPT, _MOST_AT_ONCE)
        return len(left)

    return await database.transact(act)


def _tell_left(tx: Tx, left: Iterable[LeftSession]) -> None:
    for one in left:
        told = EditModeLeft(user_id=one.user_id, title_id=one.title_id, session_id=one.id, timestamp=tx.now)
        tx.emit(title_room(one.title_id), told)
