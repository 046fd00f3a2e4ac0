"""From a caller's ids to rows: what is missing and what is not one's own look alike."""

from uuid import UUID

from quintet.apps.wigg import milestone_queries, queries
from quintet.apps.wigg.milestone_model import Milestone, MilestoneNotFound, NotYourMilestone
from quintet.apps.wigg.model import SessionNotFound, Wigg, WiggNotFound
from quintet.apps.wigg.queries import Own
from quintet.domains.catalogue import WorkId, WorkNotFound, is_work_id, work_to_see
from quintet.kernel.actor import Access, Actor
from quintet.kernel.database import Tx


def title_room(title_id: WorkId) -> str:
    """The room of a title."""
    return f"title:{title_id}"


async def check_may_join(tx: Tx, _actor: Actor, title_id: str) -> None:
    """Whoever may read a title may hear its room; raises WorkNotFound."""
    await work_to_see(tx, title_id)


async def own_to_see(tx: Tx, actor: Actor, title_id: str) -> Own:
    """All that the caller says of a title; raises WorkNotFound."""
    return _found(await queries.own(tx, actor.id, title_id_of(title_id)))


async def own_to_change(tx: Tx, actor: Actor, title_id: str) -> Own:
    """All that the caller says of a title, locked until the transaction ends; raises WorkNotFound."""
    return _found(await queries.own_locked(tx, actor.id, title_id_of(title_id)))


def title_id_of(title_id: str) -> WorkId:
    """The id, if it could be one: what can not is not worth asking for."""
    if not is_work_id(title_id):
        raise WorkNotFound
    return WorkId(title_id)


def _found(own: Own | None) -> Own:
    if own is None:
        raise WorkNotFound
    return own


async def wigg_to_change(tx: Tx, actor: Actor, title_id: str, wigg_id: UUID) -> tuple[Wigg, Own]:
    """The caller's own mark, and all that it stands among, locked until the transaction ends."""
    own = await own_to_change(tx, actor, title_id)
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


def check_session(session_id: UUID | None) -> None:
    """Raise SessionNotFound: there are no edit sessions yet, so no id of one can be right."""
    if session_id is not None:
        raise SessionNotFound
