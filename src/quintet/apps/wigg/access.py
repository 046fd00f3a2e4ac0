"""From a caller's ids to rows: what is missing and what is not one's own look alike."""

from collections.abc import Collection
from uuid import UUID

from quintet.apps.wigg import queries
from quintet.apps.wigg.editing import session_queries
from quintet.apps.wigg.editing.model import EditSession, SessionEnded, SessionNotFound
from quintet.apps.wigg.milestones import queries as milestone_queries
from quintet.apps.wigg.milestones.model import Milestone, MilestoneNotFound, NotYourMilestone
from quintet.apps.wigg.model import Wigg, WiggNotFound
from quintet.apps.wigg.queries import Own
from quintet.domains.catalogue import WorkId, WorkNotFound, is_work_id, work_to_see
from quintet.kernel.actor import Access, Actor
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx


async def check_may_join(tx: Tx, _actor: Actor, title_id: str) -> None:
    """Whoever may read a title may hear its room; raises WorkNotFound."""
    await work_to_see(tx, title_id)


async def own_to_see(tx: Tx, actor: Actor, title_id: str) -> Own:
    """All that the caller says of a title; raises WorkNotFound."""
    return _found(await queries.own(tx, actor.id, title_id_of(title_id)))


async def own_to_change(
    tx: Tx, actor: Actor, title_id: str, session_ids: Collection[UUID | None] = ()
) -> Own:
    """All that the caller says of a title, locked until the transaction ends; raises WorkNotFound.

    Where edit sessions are named, those come with it that are the caller's on this title, locked, too.
    """
    named = [one for one in session_ids if one is not None]
    work_id = title_id_of(title_id)
    if named:
        return _found(await queries.own_in_sessions(tx, actor.id, work_id, named))
    return _found(await queries.own_locked(tx, actor.id, work_id))


def title_id_of(title_id: str) -> WorkId:
    """The id, if it could be one: what can not is not worth asking for."""
    if not is_work_id(title_id):
        raise WorkNotFound
    return WorkId(title_id)


def _found(own: Own | None) -> Own:
    if own is None:
        raise WorkNotFound
    return own


async def wigg_to_change(
    tx: Tx, actor: Actor, title_id: str, wigg_id: UUID, session_id: UUID | None
) -> tuple[Wigg, Own]:
    """The caller's own mark, and all that it stands among, locked until the transaction ends."""
    own = await own_to_change(tx, actor, title_id, [session_id])
    check_session(own, session_id, tx.now)
    for wigg in own.wiggs:
        if wigg.id == wigg_id:
            return wigg, own
    raise WiggNotFound


async def milestone_to_change(tx: Tx, actor: Actor, title_id: WorkId, milestone_id: UUID) -> Milestone:
    """The milestone, locked, if the actor may change it; raises MilestoneNotFound or NotYourMilestone."""
    milestone = await milestone_queries.milestone_locked(tx, title_id, milestone_id)
    if milestone is None:
        raise MilestoneNotFound
    if milestone.created_by != actor.id and actor.access < Access.MODERATOR:
        raise NotYourMilestone
    return milestone


def check_session(own: Own, session_id: UUID | None, now: Instant) -> None:
    """Raise SessionNotFound or SessionEnded, where a session is named that does not take writes."""
    if session_id is not None:
        _check_open(next((one for one in own.sessions if one.id == session_id), None), now)


async def session_to_keep(tx: Tx, actor: Actor, title_id: str, session_id: UUID) -> EditSession:
    """The caller's own open session, locked; raises SessionNotFound or SessionEnded."""
    session = await session_queries.session_locked(tx, actor.id, title_id_of(title_id), session_id)
    return _check_open(session, tx.now)


async def session_to_see(tx: Tx, actor: Actor, title_id: str, session_id: UUID) -> EditSession:
    """The caller's own session, open or ended; raises SessionNotFound."""
    session = await session_queries.session(tx, actor.id, title_id_of(title_id), session_id)
    if session is None:
        raise SessionNotFound
    return session


def _check_open(session: EditSession | None, now: Instant) -> EditSession:
    if session is None:
        raise SessionNotFound
    if ended_at(session, now) is not None:
        raise SessionEnded
    return session


def ended_at(session: EditSession, now: Instant) -> Instant | None:
    """When a session ended; one that has run out has, whether or not anybody has noted it yet."""
    if session.ended_at is None and session.expires_at <= now:
        return session.expires_at
    return session.ended_at
