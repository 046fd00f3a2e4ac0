"""WIGG's statements about milestones."""

from typing import Final
from uuid import UUID

import msgspec

from quintet.apps.wigg.milestones.model import MOST_MILESTONES, Milestone
from quintet.apps.wigg.milestones.rules import Named
from quintet.apps.wigg.rules import pct_of, position_of
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx
from quintet.kernel.json import encode

# The first half of the advisory lock under which a title's milestones are added and renamed.
LOCK: Final = 7101


class NewRow(msgspec.Struct, frozen=True):
    """A milestone as it is written."""

    id: UUID
    position: int
    label: str


def _milestone(
    id_: UUID, position: int, label: str, icon: str, source: str, verified: bool, *made: object
) -> Milestone:
    return Milestone(id_, pct_of(position), label, icon, source, verified, *made)  # pyright: ignore[reportArgumentType]


async def lock_milestones(tx: Tx, title_id: WorkId) -> None:
    """Let nobody else add or rename a milestone of the title until this transaction ends.

    An advisory lock, since neither the title's row (marks need it) nor a missing milestone can be locked.
    """
    await tx.run("select pg_advisory_xact_lock($1, hashtext($2))", LOCK, title_id)


async def milestones(tx: Tx, title_id: WorkId) -> list[Milestone]:
    """A title's milestones in their order; complete."""
    return await tx.all(
        _milestone,
        """
        select id, position, label, icon, source, verified_at is not null, created_by, created_at
        from wigg.milestones
        where title_id = $1
        order by position, created_at, id
        limit $2
        """,
        title_id,
        MOST_MILESTONES,
    )


async def milestones_to_compare(tx: Tx, title_id: WorkId) -> list[tuple[Named, Milestone]]:
    """A title's milestones, oldest first, each with what it is compared by."""
    return await tx.all(
        lambda folded, *row: (Named(row[1], folded), _milestone(*row)),
        """
        select folded_label, id, position, label, icon, source, verified_at is not null, created_by,
               created_at
        from wigg.milestones
        where title_id = $1
        order by created_at, id
        limit $2
        """,
        title_id,
        MOST_MILESTONES,
    )


async def folded(tx: Tx, labels: list[str]) -> list[str]:
    """Labels as they are compared: lower case, without accents."""
    return await tx.all(
        str,
        """
        select catalogue.folded(label)
        from jsonb_array_elements_text($1::jsonb) with ordinality as given(label, place)
        order by place
        """,
        encode(labels).decode(),
    )


async def milestone_locked(tx: Tx, title_id: WorkId, milestone_id: UUID) -> Milestone | None:
    """One milestone, locked until the transaction ends; None where the title has no such."""
    return await tx.maybe(
        _milestone,
        """
        select id, position, label, icon, source, verified_at is not null, created_by, created_at
        from wigg.milestones
        where title_id = $1 and id = $2
        for update
        """,
        title_id,
        milestone_id,
    )


async def insert_milestones(
    tx: Tx, user_id: UserId, title_id: WorkId, rows: list[NewRow], icon: str, source: str
) -> list[Milestone]:
    """Write milestones; they come back as others see them, in the order given."""
    return await tx.all(
        _milestone,
        """
        with added as (
            insert into wigg.milestones (id, title_id, position, label, icon, source, created_by, created_at)
            select id, $1, position, label, $2, $3, $4, $5
            from jsonb_to_recordset($6::jsonb) as given(id uuid, position integer, label text)
            returning id, position, label, icon, source, verified_at is not null, created_by, created_at
        )
        select added.*
        from added join jsonb_array_elements($6::jsonb) with ordinality as given(row, place)
            on added.id = (given.row->>'id')::uuid
        order by place
        """,
        title_id,
        icon,
        source,
        user_id,
        tx.now,
        encode(rows).decode(),
    )


async def update_milestone(tx: Tx, milestone: Milestone) -> None:
    """Write position, label and icon; one that is not verified loses who had verified it."""
    await tx.run(
        """
        update wigg.milestones
        set position = $2, label = $3, icon = $4,
            verified_by = case when $5 then verified_by end,
            verified_at = case when $5 then verified_at end
        where id = $1
        """,
        milestone.id,
        position_of(milestone.pct),
        milestone.label,
        milestone.icon,
        milestone.verified,
    )


async def verify_milestone(tx: Tx, user_id: UserId, milestone_id: UUID) -> None:
    """Write who has verified it, and when."""
    await tx.run(
        "update wigg.milestones set verified_by = $2, verified_at = $3 where id = $1",
        milestone_id,
        user_id,
        tx.now,
    )


async def delete_milestone(tx: Tx, milestone_id: UUID) -> None:
    """Remove it."""
    await tx.run("delete from wigg.milestones where id = $1", milestone_id)
