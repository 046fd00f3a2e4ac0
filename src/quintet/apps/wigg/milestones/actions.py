"""The verbs of milestones: add, change, verify, remove, import.

Invariant: adding and renaming take the title's lock first, so that of many who add the same at once one
adds it and the others are told of it.
"""

from uuid import UUID

import msgspec
from msgspec import UNSET

from quintet.apps.wigg.access import milestone_to_change
from quintet.apps.wigg.capture.actions import replan_title
from quintet.apps.wigg.milestones import queries
from quintet.apps.wigg.milestones.chapters import Chapters
from quintet.apps.wigg.milestones.model import (
    MOST_MILESTONES,
    ImportedMilestones,
    ImportedSource,
    Milestone,
    MilestoneAdded,
    MilestoneChange,
    MilestoneChanged,
    MilestoneExists,
    MilestoneRemoved,
    NewMilestone,
    OfficialIsForModerators,
    TooManyMilestones,
)
from quintet.apps.wigg.milestones.queries import NewRow
from quintet.apps.wigg.milestones.rules import Named, Place, places_of, same_as, trimmed
from quintet.apps.wigg.rules import pct_of, position_of
from quintet.domains.catalogue import WorkId, title_room, work_to_see
from quintet.kernel.actor import Access, Actor
from quintet.kernel.database import Tx
from quintet.kernel.ids import new_id


async def add_milestone(tx: Tx, actor: Actor, title_id: str, new: NewMilestone) -> tuple[Milestone, bool]:
    """Name a moment of a title; whether it is new, or the same as one that was there."""
    place = Place(position_of(new.pct), trimmed(new.label))
    work = await work_to_see(tx, title_id)
    items, created = await _add_all(tx, actor, work.id, [place], new.icon, "community")
    return items[0], created == 1


async def change_milestone(
    tx: Tx, actor: Actor, title_id: str, milestone_id: UUID, change: MilestoneChange
) -> Milestone:
    """Change a milestone; raises MilestoneExists where that would make two of the same.

    Somebody verified what it said: another label or place, unless by a moderator, is not verified any more.
    """
    work = await work_to_see(tx, title_id)
    await queries.lock_milestones(tx, work.id)
    milestone = await milestone_to_change(tx, actor, work.id, milestone_id)
    position = position_of(milestone.pct if change.pct is UNSET else change.pct)
    label = milestone.label if change.label is UNSET else trimmed(change.label)
    says_the_same = (position, label) == (position_of(milestone.pct), milestone.label)
    changed = msgspec.structs.replace(
        milestone,
        pct=pct_of(position),
        label=label,
        icon=milestone.icon if change.icon is UNSET else change.icon,
        verified=milestone.verified and (says_the_same or actor.access >= Access.MODERATOR),
    )
    if changed == milestone:
        return milestone
    if not says_the_same:
        known = [one for one in await queries.milestones_to_compare(tx, work.id) if one[1].id != milestone.id]
        (folded,) = await queries.folded(tx, [label])
        (same,) = same_as([named for named, _ in known], [Named(position, folded)])
        if same < len(known):
            raise MilestoneExists(members={"existing": known[same][1]})
    await queries.update_milestone(tx, changed)
    event = MilestoneChanged(user_id=actor.id, title_id=work.id, milestone=changed)
    tx.emit(title_room(work.id), event)
    await replan_title(tx, work.id)
    return changed


async def verify_milestone(tx: Tx, actor: Actor, title_id: str, milestone_id: UUID) -> Milestone:
    """Vouch for a milestone; once is enough."""
    work = await work_to_see(tx, title_id)
    milestone = await milestone_to_change(tx, actor, work.id, milestone_id)
    if milestone.verified:
        return milestone
    await queries.verify_milestone(tx, actor.id, milestone.id)
    verified = msgspec.structs.replace(milestone, verified=True)
    event = MilestoneChanged(user_id=actor.id, title_id=work.id, milestone=verified)
    tx.emit(title_room(work.id), event)
    return verified


async def remove_milestone(tx: Tx, actor: Actor, title_id: str, milestone_id: UUID) -> None:
    """Remove a milestone."""
    work = await work_to_see(tx, title_id)
    milestone = await milestone_to_change(tx, actor, work.id, milestone_id)
    await queries.delete_milestone(tx, milestone.id)
    event = MilestoneRemoved(user_id=actor.id, title_id=work.id, milestone=milestone)
    tx.emit(title_room(work.id), event)
    await replan_title(tx, work.id)


def check_source(actor: Actor, source: ImportedSource) -> None:
    """Raise OfficialIsForModerators where it is."""
    if source == "official" and actor.access < Access.MODERATOR:
        raise OfficialIsForModerators


async def import_milestones(
    tx: Tx, actor: Actor, title_id: str, chapters: Chapters, source: ImportedSource
) -> ImportedMilestones:
    """Add a file's chapters, all or none; those that are there already are told of.

    Raises LengthUnknown, TooManyMilestones, or Unreadable for a chapter past the end.
    """
    check_source(actor, source)
    work = await work_to_see(tx, title_id)
    places = places_of(chapters, work.total_length_seconds)
    items, created = await _add_all(tx, actor, work.id, places, "star", source)
    return ImportedMilestones(items, created, len(items) - created)


async def _add_all(
    tx: Tx, actor: Actor, title_id: WorkId, places: list[Place], icon: str, source: str
) -> tuple[list[Milestone], int]:
    """The milestone of each place, and how many of them are new."""
    await queries.lock_milestones(tx, title_id)
    known = await queries.milestones_to_compare(tx, title_id)
    folded = await queries.folded(tx, [place.label for place in places])
    wanted = [Named(place.position, label) for place, label in zip(places, folded, strict=True)]
    which = same_as([named for named, _ in known], wanted)
    new = [place for index, place in _firsts(which, places) if index >= len(known)]
    if len(known) + len(new) > MOST_MILESTONES:
        raise TooManyMilestones
    rows = [NewRow(new_id(), place.position, place.label) for place in new]
    added = await queries.insert_milestones(tx, actor.id, title_id, rows, icon, source) if rows else []
    for milestone in added:
        event = MilestoneAdded(user_id=actor.id, title_id=title_id, milestone=milestone)
        tx.emit(title_room(title_id), event)
    if added:
        await replan_title(tx, title_id)
    everything = [*(milestone for _, milestone in known), *added]
    return [everything[index] for index in which], len(added)


def _firsts(which: list[int], places: list[Place]) -> list[tuple[int, Place]]:
    """The first place of each index, in order."""
    first: dict[int, Place] = {}
    for index, place in zip(which, places, strict=True):
        first.setdefault(index, place)
    return sorted(first.items())
