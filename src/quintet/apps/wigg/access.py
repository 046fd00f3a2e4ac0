"""From a caller's ids to rows: what is missing and what is not one's own look alike."""

from uuid import UUID

from quintet.apps.wigg import queries
from quintet.apps.wigg.model import SessionNotFound, Wigg, WiggNotFound
from quintet.domains.catalogue import Work, WorkId, work_to_see
from quintet.kernel.actor import Actor, UserId
from quintet.kernel.database import Tx


def title_room(title_id: WorkId) -> str:
    """The room of a title."""
    return f"title:{title_id}"


async def title_to_mark(tx: Tx, actor: Actor, title_id: str) -> Work:
    """The title, with the caller's own marks of it locked until the transaction ends."""
    await queries.lock_own_marks(tx, actor.id, WorkId(title_id))
    return await work_to_see(tx, title_id)


async def wigg_to_change(tx: Tx, actor: Actor, title_id: str, wigg_id: UUID) -> tuple[Wigg, list[Wigg]]:
    """The caller's own mark and all marks it stands among, locked until the transaction ends."""
    title = await title_to_mark(tx, actor, title_id)
    own = await queries.own_wiggs(tx, UserId(actor.id), title.id)
    for wigg in own:
        if wigg.id == wigg_id:
            return wigg, own
    raise WiggNotFound


def check_session(session_id: UUID | None) -> None:
    """Raise SessionNotFound: there are no edit sessions yet, so no id of one can be right."""
    if session_id is not None:
        raise SessionNotFound
