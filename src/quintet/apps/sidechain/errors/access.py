"""From a caller's ids to rows and groups: one's own, and everybody's for moderators.

Invariant: another's row and one that is not there look alike to whoever is no moderator.
"""

from uuid import UUID

from quintet.apps.sidechain.errors import list_queries
from quintet.apps.sidechain.errors.model import ErrorGroup, ErrorGroupId, ErrorId, ErrorNotFound, ErrorRow
from quintet.kernel.actor import Access, Actor
from quintet.kernel.database import Tx


def can_see_all(actor: Actor) -> bool:
    """Whether everybody's reports are for this caller."""
    return actor.access >= Access.MODERATOR


async def error_to_see(tx: Tx, actor: Actor, error_id: UUID) -> ErrorRow:
    """A row that the caller may see, and so resolve; raises ErrorNotFound."""
    found = await list_queries.error(tx, ErrorId(error_id))
    if found is None or (found.user_id != actor.id and not can_see_all(actor)):
        raise ErrorNotFound
    return found


async def group_to_see(tx: Tx, actor: Actor, group_id: UUID) -> ErrorGroup:
    """A group, for moderators; raises ErrorNotFound."""
    found = await list_queries.group(tx, ErrorGroupId(group_id)) if can_see_all(actor) else None
    if found is None:
        raise ErrorNotFound
    return found
