"""WIGG's statements about paintings and about what was done."""

from typing import Any
from uuid import UUID

import msgspec

from quintet.apps.wigg.editing.model import Absent, Direction, Painted
from quintet.apps.wigg.editing.records import NewAction, Record, record_of
from quintet.apps.wigg.model import ActionId, WiggId
from quintet.apps.wigg.rules import CurveChange
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx, array
from quintet.kernel.json import encode


class KeptAction(msgspec.Struct, frozen=True):
    """An action as kept."""

    id: ActionId
    number: int
    title_id: WorkId
    direction: Direction
    action_type: str
    subject_id: ActionId | None
    targets: list[ActionId] | None
    batch_id: ActionId | None
    before: dict[str, Any]
    after: dict[str, Any]
    token_hash: bytes
    created_at: Instant
    spent_at: Instant | None

    @property
    def record(self) -> Record:
        """What it did, part by part."""
        return record_of(self.before, self.after)


class ListedAction(msgspec.Struct, frozen=True):
    """An action with what its list tells of it; `usable_since` is when its unspent token was made."""

    id: ActionId
    number: int
    action_type: str
    session_id: UUID | None
    batch_id: ActionId | None
    before: dict[str, Any]
    after: dict[str, Any]
    created_at: Instant
    undone_at: Instant | None
    usable_since: Instant | None

    @property
    def record(self) -> Record:
        """What it did, part by part."""
        return record_of(self.before, self.after)


class PaintWriting(msgspec.Struct, frozen=True):
    """What a write changes of a painting: pieces gone (where they start), new or changed ones, the rest."""

    gone: list[int]
    pieces: list[Painted]
    action: NewAction
    added: int
    change: CurveChange


async def write_painting(tx: Tx, user_id: UserId, title_id: WorkId, writing: PaintWriting) -> int:
    """Write all of it in one statement; the title's new version, which new pieces get.

    The title's curve is locked from here to the commit, and its time to good is due.
    """
    change = writing.change
    return await tx.value(
        """
        with curve as materialized (
            select wigg.add_to_curve($2, $6, $7, $8::int[], $9::bigint[], $10::int[], $11::int[],
                                     $12::bigint[]) as version
        ), gone as (
            delete from wigg.paintings where user_id = $1 and title_id = $2 and starts = any($3::int[])
        ), piece as (
            insert into wigg.paintings (user_id, title_id, starts, ends, score, version, painted_at,
                                        session_id, action_id)
            select $1, $2, starts, ends, score, coalesce(nullif(piece.version, 0), curve.version), painted_at,
                   session_id, action_id
            from curve, jsonb_to_recordset($4::jsonb) as piece(
                starts integer, ends integer, score integer, version bigint, painted_at timestamptz,
                session_id uuid, action_id uuid
            )
            on conflict (user_id, title_id, starts) do update
            set ends = excluded.ends, score = excluded.score, version = excluded.version,
                painted_at = excluded.painted_at, session_id = excluded.session_id,
                action_id = excluded.action_id
        ), action as (
            insert into wigg.edit_actions (id, user_id, title_id, session_id, direction, action_type,
                                           subject_id, targets, before, after, token_hash, created_at)
            select id, $1, $2, session_id, direction, action_type, subject_id, targets, before, after,
                   decode(token_hash, 'hex'), $13
            from jsonb_to_record($5::jsonb) as action(
                id uuid, session_id uuid, direction text, action_type text, subject_id uuid, targets uuid[],
                before jsonb, after jsonb, token_hash text
            )
        )
        select version from curve
        """,
        user_id,
        title_id,
        array(writing.gone),
        encode(writing.pieces).decode(),
        encode(writing.action).decode(),
        writing.added,
        change.users,
        array(change.cells),
        array(change.sums),
        array(change.voices),
        array(change.level_cells),
        array(change.levels),
        tx.now,
    )


async def version(tx: Tx, title_id: WorkId) -> int:
    """The title's version."""
    return await tx.value(
        "select coalesce((select version from wigg.curves where title_id = $1), 0)", title_id
    )


async def removers(tx: Tx, user_id: UserId, title_id: WorkId, wigg_ids: list[WiggId]) -> list[Absent]:
    """Which of these marks were removed, and by which action."""
    return await tx.all(
        Absent,
        """
        select wigg_id, action_id from wigg.removed_wiggs
        where user_id = $1 and title_id = $2 and wigg_id = any($3)
        """,
        user_id,
        title_id,
        wigg_ids,
    )


async def remember_removers(tx: Tx, user_id: UserId, title_id: WorkId, absent: list[Absent]) -> None:
    """Keep which action removed each mark; those without one were never placed."""
    await tx.send(
        """
        with never as (
            delete from wigg.removed_wiggs using unnest($3::uuid[], $4::uuid[]) as absent(id, action_id)
            where wigg_id = absent.id and absent.action_id is null
        )
        insert into wigg.removed_wiggs (wigg_id, user_id, title_id, action_id)
        select id, $1, $2, action_id from unnest($3::uuid[], $4::uuid[]) as absent(id, action_id)
        where action_id is not null
        on conflict (wigg_id) do update set action_id = excluded.action_id
        """,
        user_id,
        title_id,
        [one.id for one in absent],
        [one.action_id for one in absent],
    )


async def action_to_reverse(tx: Tx, user_id: UserId, action_id: ActionId) -> KeptAction | None:
    """A user's own action, undo or redo."""
    return await tx.maybe(
        KeptAction,
        """
        select id, number, title_id, direction, action_type, subject_id, targets, batch_id, before,
               after, token_hash, created_at, spent_at
        from wigg.edit_actions
        where id = $1 and user_id = $2
        """,
        action_id,
        user_id,
    )


async def newest_redo(tx: Tx, user_id: UserId, action_id: ActionId) -> KeptAction | None:
    """The last redo of a user's own action."""
    return await tx.maybe(
        KeptAction,
        """
        select id, number, title_id, direction, action_type, subject_id, targets, batch_id, before,
               after, token_hash, created_at, spent_at
        from wigg.edit_actions
        where subject_id = $1 and user_id = $2 and direction = 'redo'
        order by number desc
        limit 1
        """,
        action_id,
        user_id,
    )


async def standing_in_batch(tx: Tx, user_id: UserId, batch_id: ActionId) -> list[KeptAction]:
    """The placings of a batch that are not undone, newest first."""
    return await tx.all(
        KeptAction,
        """
        select id, number, title_id, direction, action_type, subject_id, targets, batch_id, before,
               after, token_hash, created_at, spent_at
        from wigg.edit_actions
        where batch_id = $1 and user_id = $2 and undone_at is null
        order by number desc
        """,
        batch_id,
        user_id,
    )


async def standing_in_session(
    tx: Tx, user_id: UserId, session_id: UUID, below: int, most: int
) -> list[KeptAction]:
    """The actions of a session that are not undone, newest first, those numbered below `below`."""
    return await tx.all(
        KeptAction,
        """
        select id, number, title_id, direction, action_type, subject_id, targets, batch_id, before,
               after, token_hash, created_at, spent_at
        from wigg.edit_actions
        where session_id = $1 and user_id = $2 and undone_at is null and direction = 'do' and number < $3
        order by number desc
        limit $4
        """,
        session_id,
        user_id,
        below,
        most,
    )


async def spend(tx: Tx, action_ids: list[ActionId]) -> None:
    """Use tokens up."""
    await tx.send("update wigg.edit_actions set spent_at = $2 where id = any($1)", action_ids, tx.now)


async def note_undone(tx: Tx, action_ids: list[ActionId], at: Instant | None) -> None:
    """Note since when actions are undone; None for those that stand again."""
    await tx.send(
        "update wigg.edit_actions set undone_at = $2::timestamptz where id = any($1)", action_ids, at
    )


async def actions(
    tx: Tx, user_id: UserId, title_id: WorkId, session_id: UUID | None, before: int | None, most: int
) -> list[ListedAction]:
    """A user's actions on a title, all or those of a session, newest first."""
    return await tx.all(
        ListedAction,
        """
        select a.id, a.number, a.action_type, a.session_id, a.batch_id, a.before, a.after, a.created_at,
               a.undone_at,
               case when redo.id is null then case when a.spent_at is null then a.created_at end
                    when redo.spent_at is null then redo.created_at end
        from wigg.edit_actions a
        left join lateral (
            select r.id, r.created_at, r.spent_at from wigg.edit_actions r
            where r.subject_id = a.id and r.direction = 'redo'
            order by r.number desc
            limit 1
        ) redo on true
        where a.user_id = $1 and a.title_id = $2 and a.direction = 'do'
          and ($3::uuid is null or a.session_id = $3) and ($4::bigint is null or a.number < $4)
        order by a.number desc
        limit $5
        """,
        user_id,
        title_id,
        session_id,
        before,
        most,
    )
