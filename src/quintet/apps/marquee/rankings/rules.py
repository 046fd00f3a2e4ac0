"""What a caller's words for a place come to. Pure; the order itself is PostgreSQL's affair."""

from typing import Final

from msgspec import UnsetType

from quintet.apps.marquee.rankings.model import (
    MOST_TITLES,
    NewRanking,
    NoteChange,
    OnePlace,
    Place,
    RankingMove,
)
from quintet.kernel.refusals import invalid

_BEYOND_THE_END: Final = MOST_TITLES + 1


def place_of(asked: NewRanking | RankingMove) -> Place:
    """The one place that is asked for; raises OnePlace where there are several.

    The older front end's pair, `prev_ranking_id` above and `next_ranking_id` below, is one place: their gap.
    """
    ways = (
        asked.before_id is not None,
        asked.after_id is not None,
        asked.rank is not None,
        asked.prev_ranking_id is not None or asked.next_ranking_id is not None,
    )
    if sum(ways) > 1:
        raise OnePlace
    return Place(
        after_id=asked.after_id or asked.prev_ranking_id,
        before_id=asked.before_id or asked.next_ranking_id,
        rank=None if asked.rank is None else min(asked.rank, _BEYOND_THE_END),
    )


def check_says_something(move: RankingMove) -> None:
    """Raise `missing` for a move without tier and place: nobody drops a title nowhere."""
    if move.tier is None and place_of(move) == Place():
        raise invalid("missing", "a tier, a place, or both", pointer="/tier")


def note_of(asked: NoteChange | NewRanking) -> str | None:
    """The note, by whichever name; raises `missing` where a change has none, `unknown_field` for two."""
    if isinstance(asked, NewRanking):
        if asked.note is not None and asked.notes is not None:
            raise invalid("unknown_field", "note and notes are one field", pointer="/notes")
        return asked.note if asked.note is not None else asked.notes
    given = [one for one in (asked.note, asked.notes) if not isinstance(one, UnsetType)]
    if len(given) > 1:
        raise invalid("unknown_field", "note and notes are one field", pointer="/notes")
    if not given:
        raise invalid("missing", "a note, or null", pointer="/note")
    return given[0]
