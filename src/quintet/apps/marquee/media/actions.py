"""The verbs of Marquee's media."""

from typing import Any

from quintet.apps.marquee.media import queries
from quintet.apps.marquee.media.model import KIND_OF, LooksLike, NewStub
from quintet.domains.catalogue import (
    MOST_GENRE_LETTERS,
    MOST_GENRES,
    NewWork,
    WorkId,
    enter_work,
    works_doubled,
)
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx

_MOST_CANDIDATES = 10


async def create_stub(tx: Tx, actor: Actor, new: NewStub) -> WorkId:
    """Enter a film or play by hand; raises LooksLike with the works it may double, unless confirmed."""
    kind = KIND_OF[new.media_type]
    # Also takes the lock under which two who enter the same title wait for each other.
    alike = await works_doubled(tx, new.title, kind, new.year, _MOST_CANDIDATES)
    if alike and not new.confirm:
        raise LooksLike(members={"candidates": await queries.media_with(tx, alike)})
    work = NewWork(
        title=new.title,
        kind=kind,
        year=new.year,
        genres=_genres(new.attributes),
        attributes=new.attributes,
    )
    return (await enter_work(tx, actor, work, source="stub")).id


def _genres(attributes: dict[str, Any]) -> list[str]:
    """The genres among the attributes, which stay there, too; what cannot be one is only kept there."""
    given = attributes.get("genres")
    names = given if isinstance(given, list) else [given]
    return [one for one in names if isinstance(one, str) and 0 < len(one) <= MOST_GENRE_LETTERS][:MOST_GENRES]
