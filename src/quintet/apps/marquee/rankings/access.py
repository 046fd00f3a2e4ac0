"""From a caller's ids to rankings: what is missing and what is not one's own look alike."""

from uuid import UUID

from quintet.apps.marquee.rankings import queries
from quintet.apps.marquee.rankings.model import ListNotFound, MediaNotFound, Ranking, RankingNotFound
from quintet.domains.catalogue import WorkId, is_work_id
from quintet.domains.social import can_see
from quintet.kernel.actor import Actor, UserId
from quintet.kernel.database import Tx


def media_id_of(media_id: str) -> WorkId:
    """The id, if it could be one: what can not is not worth asking for."""
    if not is_work_id(media_id):
        raise MediaNotFound
    return WorkId(media_id)


async def ranking_to_see(tx: Tx, actor: Actor, ranking_id: UUID) -> Ranking:
    """One's own ranking; raises RankingNotFound."""
    return _found(await queries.ranking(tx, actor.id, ranking_id))


async def ranking_to_note(tx: Tx, actor: Actor, ranking_id: UUID) -> Ranking:
    """One's own ranking, locked until the transaction ends; raises RankingNotFound."""
    return _found(await queries.ranking_locked(tx, actor.id, ranking_id))


def _found(ranking: Ranking | None) -> Ranking:
    if ranking is None:
        raise RankingNotFound
    return ranking


async def owner_of_list(tx: Tx, actor: Actor, user_id: UUID) -> UUID:
    """Whose list it is, if the actor may see it; raises ListNotFound."""
    if not await can_see(tx, actor.id, UserId(user_id)):
        raise ListNotFound
    return user_id
