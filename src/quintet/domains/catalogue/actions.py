"""The verbs of the catalogue."""

from typing import Any

import msgspec
from msgspec import UNSET

from quintet.domains.catalogue import queries, search_queries
from quintet.domains.catalogue.model import (
    MOST_ATTRIBUTE_BYTES,
    Kind,
    NewWork,
    NotYourWork,
    Source,
    TitleChanged,
    Work,
    WorkChange,
    WorkChanged,
    WorkExists,
    WorkId,
    WorkNotFound,
    is_work_id,
)
from quintet.domains.catalogue.rules import numbers_are_plain
from quintet.kernel import json
from quintet.kernel.actor import Access, Actor
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id
from quintet.kernel.refusals import invalid


def title_room(work_id: WorkId) -> str:
    """The room of a work, which hears of its changes in every app."""
    return f"title:{work_id}"


async def enter_work(tx: Tx, actor: Actor, new: NewWork, *, source: Source = "local") -> Work:
    """Enter a work into the catalogue; raises WorkExists with the one in the way."""
    if new.id is not None and not is_work_id(new.id):
        raise invalid("invalid_text", "an id is never . or ..", pointer="/id")
    _check_attributes(new.attributes)
    work = Work(
        id=WorkId(new.id or str(new_id())),
        kind=new.kind,
        title=_trimmed(new.title),
        total_length_seconds=new.total_length_seconds,
        year=new.year,
        genres=_genres(new.genres),
        attributes=new.attributes,
        created_by=actor.id,
        version=1,
        created_at=tx.now,
        updated_at=tx.now,
    )
    if not await queries.insert_work(tx, work, source):
        raise WorkExists(members={"existing": await queries.work_by_id(tx, work.id)})
    return work


async def change_work(tx: Tx, work: Work, change: WorkChange) -> Work:
    """Change a work that `work_to_change` has locked and authorized; its room and the apps hear of it."""
    if change.attributes is not UNSET:
        _check_attributes(change.attributes)
    given = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    if "title" in given:
        given["title"] = _trimmed(given["title"])
    if "genres" in given:
        given["genres"] = _genres(given["genres"])
    if all(getattr(work, name) == value for name, value in given.items()):
        return work
    changed = msgspec.structs.replace(work, **given, version=work.version + 1, updated_at=tx.now)
    await queries.update_work(tx, changed)
    await tell_of_change(tx, work.id, changed.version)
    return changed


async def tell_of_change(tx: Tx, work_id: WorkId, version: int) -> None:
    """Tell the work's room, and let the apps do what follows for them."""
    tx.emit(title_room(work_id), TitleChanged(title_id=work_id, version=version))
    await tx.announce(WorkChanged(work_id))


async def works_doubled(tx: Tx, title: str, kind: Kind, year: int | None, most: int) -> list[WorkId]:
    """The works that a new one would double, the likest first.

    Until the transaction ends nobody else gets an answer for the same title, so of two who look and then
    enter the second sees the first one's work.
    """
    await search_queries.lock_title(tx, title, kind)
    return await search_queries.works_doubled(tx, title, kind, year, most)


async def work_to_change(tx: Tx, actor: Actor, work_id: str) -> Work:
    """The work, locked, if the actor may change it; raises WorkNotFound or NotYourWork."""
    work = await queries.work_to_change(tx, WorkId(work_id)) if is_work_id(work_id) else None
    if work is None:
        raise WorkNotFound
    if work.created_by != actor.id and actor.access < Access.MODERATOR:
        raise NotYourWork
    return work


async def work_to_see(tx: Tx, work_id: str) -> Work:
    """The work; raises WorkNotFound."""
    work = await queries.work_by_id(tx, WorkId(work_id)) if is_work_id(work_id) else None
    if work is None:
        raise WorkNotFound
    return work


def _check_attributes(attributes: dict[str, Any]) -> None:
    if len(json.encode(attributes)) > MOST_ATTRIBUTE_BYTES:
        raise invalid("too_long", "attributes take at most 16 KiB", pointer="/attributes")
    if not numbers_are_plain(attributes):
        raise invalid("out_of_range", "numbers in attributes have at most 15 digits", pointer="/attributes")


def _trimmed(title: str) -> str:
    if not title.strip():
        raise invalid("missing", "a title has letters", pointer="/title")
    return title.strip()


def _genres(genres: list[str]) -> list[str]:
    """Each genre once, without surrounding space, in the order given."""
    return list(dict.fromkeys(genre.strip() for genre in genres if genre.strip()))
