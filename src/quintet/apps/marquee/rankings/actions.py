"""The verbs of rankings: place, move, note, remove; and looking for a place.

Invariant: every change is told in the owner's room, so that old state and events are the new state; what
changes nothing is not told.
"""

from typing import Final
from uuid import UUID

import msgspec

from quintet.apps.marquee.feed.noting import note_moved, note_noted, note_ranked
from quintet.apps.marquee.leaderboard.model import LEADERBOARD
from quintet.apps.marquee.rankings import access, comparing, list_queries, queries, rules
from quintet.apps.marquee.rankings.model import (
    AlreadyRanked,
    Change,
    Comparison,
    MediaNotFound,
    NeighbourGone,
    NewRanking,
    NextComparison,
    NoteChange,
    Ranking,
    RankingId,
    RankingMove,
    RankingMoved,
    RankingNoted,
    RankingNotFound,
    RankingPlaced,
    RankingRemoved,
    TierFull,
    TierRebalanced,
    WrongNeighbour,
)
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id
from quintet.kernel.live.names import user_room
from quintet.kernel.refusals import Refusal

_REFUSALS: Final[dict[str, type[Refusal]]] = {
    "media_not_found": MediaNotFound,
    "ranking_not_found": RankingNotFound,
    "neighbour_not_found": RankingNotFound,
    "wrong_neighbour": WrongNeighbour,
    "neighbour_gone": NeighbourGone,
    "tier_full": TierFull,
}


async def place_title(tx: Tx, actor: Actor, new: NewRanking) -> Ranking:
    """Rank a title; raises AlreadyRanked with the ranking, and whatever is wrong with the place."""
    place, note = rules.place_of(new), rules.note_of(new)
    media_id = access.media_id_of(new.media_id)
    made = RankingId(new_id())
    change = await queries.place_media(tx, actor.id, media_id, new.tier, place, made, note)
    if change.outcome == "already_ranked":
        raise AlreadyRanked(members={"ranking": change.ranking})
    ranking = _changed(change)
    await note_ranked(tx, actor.id, ranking, is_followed=change.is_followed)
    tx.touch(LEADERBOARD)
    tx.emit(
        user_room(actor.id),
        RankingPlaced(
            ranking_id=ranking.id,
            tier=ranking.tier,
            rank=ranking.rank,
            position_key=ranking.position_key,
            score=ranking.score,
            after_id=change.above_id,
            before_id=change.below_id,
            note=ranking.note,
            media=ranking.media,
            created_at=ranking.created_at,
            updated_at=ranking.updated_at,
        ),
    )
    await _tell_rebalanced(tx, actor, change)
    return ranking


async def move_ranking(tx: Tx, actor: Actor, ranking_id: UUID, move: RankingMove) -> Ranking:
    """Move one's own ranking; to where it stands changes nothing."""
    rules.check_says_something(move)
    change = await queries.move_ranking(tx, actor.id, ranking_id, move.tier, rules.place_of(move))
    ranking = _changed(change)
    if change.outcome == "unchanged" or change.from_tier is None:
        return ranking
    await note_moved(tx, actor.id, ranking, change.from_tier, is_followed=change.is_followed)
    tx.touch(LEADERBOARD)
    tx.emit(
        user_room(actor.id),
        RankingMoved(
            ranking_id=ranking.id,
            media_id=ranking.media.id,
            from_tier=change.from_tier,
            tier=ranking.tier,
            rank=ranking.rank,
            position_key=ranking.position_key,
            score=ranking.score,
            after_id=change.above_id,
            before_id=change.below_id,
            updated_at=ranking.updated_at,
        ),
    )
    await _tell_rebalanced(tx, actor, change)
    return ranking


async def note_ranking(tx: Tx, actor: Actor, ranking_id: UUID, change: NoteChange) -> Ranking:
    """Write a note on one's own ranking, or take it away; the same note changes nothing."""
    note = rules.note_of(change)
    ranking = await access.ranking_to_note(tx, actor, ranking_id)
    if ranking.note == note:
        return ranking
    await queries.write_note(tx, ranking.id, note)
    noted = msgspec.structs.replace(ranking, note=note, updated_at=tx.now)
    await note_noted(tx, actor.id, noted)
    tx.emit(
        user_room(actor.id),
        RankingNoted(ranking_id=noted.id, media_id=noted.media.id, note=note, updated_at=tx.now),
    )
    return noted


async def remove_ranking(tx: Tx, actor: Actor, ranking_id: UUID) -> None:
    """Remove one's own ranking; raises RankingNotFound."""
    gone = await queries.remove_ranking(tx, actor.id, ranking_id)
    if gone is None:
        raise RankingNotFound
    tx.touch(LEADERBOARD)
    tx.emit(user_room(actor.id), RankingRemoved(ranking_id=gone.id, media_id=gone.media_id, tier=gone.tier))


async def compare(tx: Tx, actor: Actor, comparison: Comparison) -> NextComparison:
    """The next question on the way to a title's place, or the place; raises AnswersContradict.

    Where the title is in the tier already, its place is looked for among the others.
    """
    media_id, tier = access.media_id_of(comparison.media_id), comparison.tier
    asked = [answer.ranking_id for answer in comparison.answers]
    standing = await list_queries.positions_in_tier(tx, actor.id, tier, media_id, asked)
    if standing is None:
        raise MediaNotFound
    titles, positions = standing
    answers = ((positions.get(one.ranking_id), one.better) for one in comparison.answers)
    found = comparing.search(titles, answers)
    if found.is_done:
        below = await list_queries.ranking_at(tx, actor.id, tier, media_id, found.lowest + 1)
        return NextComparison(done=True, rank=found.lowest + 1, before_id=below and below.id)
    other = await list_queries.ranking_at(tx, actor.id, tier, media_id, found.question + 1)
    if other is None:
        raise LookupError("a title between two others is not there")
    most = comparing.at_most(titles, len(asked), found)
    return NextComparison(done=False, compare_with=other, asked=len(asked), at_most=most)


def _changed(change: Change) -> Ranking:
    """What the database made of it; raises what it says instead."""
    if refusal := _REFUSALS.get(change.outcome):
        raise refusal
    if change.ranking is None:
        raise LookupError(f"{change.outcome} without a ranking")
    return change.ranking


async def _tell_rebalanced(tx: Tx, actor: Actor, change: Change) -> None:
    if change.rebalanced is not None and change.ranking is not None:
        tier = change.ranking.tier
        lo, hi = await queries.band(tx, tier)
        told = TierRebalanced(tier=tier, titles=change.rebalanced, lo=lo, hi=hi)
        tx.emit(user_room(actor.id), told)
