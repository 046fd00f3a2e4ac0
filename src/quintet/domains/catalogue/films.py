"""Works that come many at a time, named by a list of somebody's: found, or entered.

Invariant: a list is hearsay. It never changes a work that is here, and the TMDB id it gives to a new one
proves nothing before TMDB itself has told of the film.
"""

from typing import Final

import msgspec

from quintet.domains.catalogue import film_queries as queries
from quintet.domains.catalogue.film_queries import Looked, NewFilm
from quintet.domains.catalogue.model import (
    MOST_GENRE_LETTERS,
    MOST_GENRES,
    MOST_TITLE_LETTERS,
    WantedWork,
    WorkId,
)
from quintet.domains.catalogue.rules import attributes_fit
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id

# Posters from anywhere else would tell strangers who looks at them.
_POSTERS: Final = "https://image.tmdb.org/"
_MOST_TMDB_ID: Final = 2**31 - 1


async def find_or_enter_films(tx: Tx, actor: Actor, wanted: list[WantedWork]) -> list[tuple[WorkId, bool]]:
    """The work each wanted one is, in their order, and whether it was entered just now.

    The same is: of the kind, with the TMDB id; else with the title but for case and accents, and the year
    (or no year on either side). What is entered is a stub, or a film that TMDB completes when somebody looks.
    """
    asked = [_plain(one) for one in wanted]
    looked = await queries.look_for(tx, asked)
    if not any(one.id is None for one in looked):
        return [(one.id, False) for one in looked if one.id is not None]
    # Two who enter the same film at once wait for each other here, and the second finds it.
    await queries.lock_entering(tx)
    looked = await queries.look_for(tx, asked)
    new = _new_films(actor, asked, looked)
    await queries.insert_films(tx, new, tx.now)
    fresh = {one.id for one in new}
    told: list[tuple[WorkId, bool]] = []
    for one in await queries.look_for(tx, asked):
        if one.id is None:
            raise LookupError("a film that was entered is not found")
        told.append((one.id, one.id in fresh))
        fresh.discard(one.id)
    return told


def _new_films(actor: Actor, asked: list[WantedWork], looked: list[Looked]) -> list[NewFilm]:
    """What is to be entered, each once however often the list names it."""
    new: dict[object, NewFilm] = {}
    for one, found in zip(asked, looked, strict=True):
        if found.id is not None:
            continue
        tmdb_id = None if found.is_id_taken else one.tmdb_id
        new.setdefault(
            tmdb_id or (found.folded, one.year, one.kind),
            NewFilm(
                id=WorkId(str(new_id())),
                kind=one.kind,
                title=one.title,
                year=one.year,
                genres=one.genres,
                attributes=one.attributes,
                poster_url=one.poster_url,
                tmdb_id=tmdb_id,
                source="stub" if tmdb_id is None else "tmdb",
                created_by=actor.id if tmdb_id is None else None,
            ),
        )
    return list(new.values())


def _plain(one: WantedWork) -> WantedWork:
    """The wanted work within the bounds of the catalogue; what does not fit is left out."""
    genres = [name.strip() for name in one.genres if 0 < len(name.strip()) <= MOST_GENRE_LETTERS]
    id_fits = one.kind == "film" and one.tmdb_id is not None and 0 < one.tmdb_id <= _MOST_TMDB_ID
    return msgspec.structs.replace(
        one,
        title=one.title.strip()[:MOST_TITLE_LETTERS] or "?",
        year=one.year if one.year is not None and -3000 <= one.year <= 3000 else None,
        tmdb_id=one.tmdb_id if id_fits else None,
        poster_url=one.poster_url if one.poster_url and one.poster_url.startswith(_POSTERS) else None,
        genres=list(dict.fromkeys(genres))[:MOST_GENRES],
        attributes=one.attributes if attributes_fit(one.attributes) else {},
    )
