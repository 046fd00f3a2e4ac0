"""WIGG's statements about marks, paintings and curves."""

from typing import Any
from uuid import UUID

import msgspec

from quintet.apps.wigg.editing.model import EditSession, Painted
from quintet.apps.wigg.editing.records import NewAction, instant
from quintet.apps.wigg.model import ActionId, Cell, Wigg, WiggId
from quintet.apps.wigg.rules import CurveChange, pct_of
from quintet.domains.catalogue import WorkId
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx, array
from quintet.kernel.json import encode


class KnownPlacing(msgspec.Struct, frozen=True):
    """What an optimistic id has become."""

    optimistic_id: UUID
    title_id: WorkId
    fingerprint: bytes
    action_id: ActionId
    answer: dict[str, object]


class CurveRow(msgspec.Struct, frozen=True):
    """A title's curve on one grid, with the seq of its room in the same snapshot."""

    total_length_seconds: float | None
    version: int
    sums: list[int]
    voices: list[int]
    seq: int


class Own(msgspec.Struct, frozen=True):
    """What a user says of a title that exists, and the user's edit sessions that were asked for."""

    title_id: WorkId
    wiggs: list[Wigg]
    painting: list[Painted]
    sessions: list[EditSession] = []


async def own(tx: Tx, user_id: UserId, title_id: WorkId) -> Own | None:
    """All that a user says of a title, in the order along it; None where there is no title."""
    return await tx.maybe(_own, "select title_id, wiggs, painting from wigg.own($1, $2)", user_id, title_id)


async def own_locked(tx: Tx, user_id: UserId, title_id: WorkId) -> Own | None:
    """The same, and no other transaction may change it until this one ends."""
    return await tx.maybe(
        _own, "select title_id, wiggs, painting from wigg.own_locked($1, $2)", user_id, title_id
    )


async def own_in_sessions(tx: Tx, user_id: UserId, title_id: WorkId, session_ids: list[UUID]) -> Own | None:
    """The same, with the edit sessions of these ids, which stay locked, too."""
    return await tx.maybe(
        _own,
        "select title_id, wiggs, painting, sessions from wigg.own_in_sessions($1, $2, $3)",
        user_id,
        title_id,
        session_ids,
    )


def _own(title_id: WorkId, wiggs: Any, painting: Any, sessions: Any = ()) -> Own:
    return Own(
        title_id,
        msgspec.convert(wiggs, list[Wigg], dec_hook=instant),
        msgspec.convert(painting, list[Painted], dec_hook=instant),
        msgspec.convert(sessions, list[EditSession], dec_hook=instant),
    )


async def own_cells(tx: Tx, user_id: UserId, title_id: WorkId) -> list[Cell]:
    """A user's painting with who painted what when."""
    return await tx.all(
        lambda starts, ends, score, version, at, session: Cell(
            pct_of(starts), pct_of(ends), pct_of(score), version, at, session
        ),
        """
        select starts, ends, score, version, painted_at, session_id from wigg.paintings
        where user_id = $1 and title_id = $2
        order by starts
        """,
        user_id,
        title_id,
    )


class Writing(msgspec.Struct, frozen=True):
    """What an action changes: marks new or changed, marks gone, the record of it, and the curve."""

    marks: list[Wigg]
    gone: list[WiggId]
    actions: list[NewAction]
    added: int
    change: CurveChange


async def write(tx: Tx, user_id: UserId, title_id: WorkId, writing: Writing) -> None:
    """Write all of it in one statement.

    The title's curve is locked from here to the commit, and its time to good is due; where neither the
    number of marks nor any voice changes, it is left alone.
    """
    change = writing.change
    await tx.send(
        """
        with mark as (
            insert into wigg.wiggs as w (id, title_id, user_id, position, rating, note, session_id, action_id,
                                         marked_at, client_created_at, created_at, updated_at)
            select id, $2, $1, position, rating, note, session_id, action_id, marked_at, client_created_at,
                   created_at, updated_at
            from jsonb_to_recordset($3::jsonb) as mark(
                id uuid, position integer, rating smallint, note text, session_id uuid, action_id uuid,
                marked_at timestamptz, client_created_at timestamptz, created_at timestamptz,
                updated_at timestamptz
            )
            on conflict (id) do update
            set position = excluded.position, rating = excluded.rating, note = excluded.note,
                session_id = excluded.session_id, action_id = excluded.action_id,
                marked_at = excluded.marked_at, client_created_at = excluded.client_created_at,
                updated_at = excluded.updated_at
        ), gone as (
            delete from wigg.wiggs where id = any($4::uuid[])
        ), action as (
            insert into wigg.edit_actions (id, user_id, title_id, session_id, batch_id, action_type, before,
                                           after, token_hash, created_at)
            select id, $1, $2, session_id, batch_id, action_type, before, after, decode(token_hash, 'hex'), $6
            from jsonb_to_recordset($5::jsonb) as action(
                id uuid, session_id uuid, batch_id uuid, action_type text, before jsonb, after jsonb,
                token_hash text
            )
        )
        select wigg.add_to_curve($2, $7, $8, $9::int[], $10::bigint[], $11::int[], $12::int[], $13::bigint[])
        where $14
        """,
        user_id,
        title_id,
        encode(writing.marks).decode(),
        array(writing.gone),
        encode(writing.actions).decode(),
        tx.now,
        writing.added,
        change.users,
        array(change.cells),
        array(change.sums),
        array(change.voices),
        array(change.level_cells),
        array(change.levels),
        bool(change) or writing.added != 0,
    )


async def known_placings(tx: Tx, user_id: UserId, optimistic_ids: list[UUID]) -> list[KnownPlacing]:
    """What has become of a user's optimistic ids, of those that are known."""
    return await tx.all(
        lambda optimistic_id, title_id, fingerprint, action_id, answer: KnownPlacing(
            optimistic_id, title_id, bytes(fingerprint), action_id, answer
        ),
        """
        select optimistic_id, title_id, fingerprint, action_id, answer from wigg.optimistic_ids
        where user_id = $1 and optimistic_id = any($2)
        """,
        user_id,
        optimistic_ids,
    )


async def batches_of(tx: Tx, user_id: UserId, optimistic_ids: list[UUID]) -> list[ActionId | None]:
    """The batches in which a user's optimistic ids were placed; None for those placed alone."""
    return await tx.all(
        lambda batch_id: batch_id,
        """
        select distinct a.batch_id
        from wigg.optimistic_ids o
        join wigg.edit_actions a on a.id = o.action_id
        where o.user_id = $1 and o.optimistic_id = any($2)
        """,
        user_id,
        optimistic_ids,
    )


async def remember_placing(tx: Tx, user_id: UserId, known: KnownPlacing) -> None:
    """Keep what an optimistic id has become."""
    await tx.send(
        """
        insert into wigg.optimistic_ids (user_id, optimistic_id, title_id, fingerprint, action_id, answer,
                                         created_at)
        values ($1, $2, $3, $4, $5, $6::jsonb, $7)
        """,
        user_id,
        known.optimistic_id,
        known.title_id,
        known.fingerprint,
        known.action_id,
        encode(known.answer).decode(),
        tx.now,
    )


async def curve(tx: Tx, title_id: WorkId, room: str, first: int, last: int) -> CurveRow | None:
    """A title's curve on a grid that is kept ready: cells `first` to `last`; None where there is no title."""
    return await tx.maybe(
        CurveRow,
        """
        select t.total_length_seconds, coalesce(c.version, 0), coalesce(c.sums[$3:$4], '{}'),
               coalesce(c.voices[$3:$4], '{}'), coalesce(r.seq, 0)
        from catalogue.titles t
        left join wigg.curves c on c.title_id = t.id
        left join kernel.room_seqs r on r.room = $2
        where t.id = $1
        """,
        title_id,
        room,
        first,
        last,
    )


async def curve_on_grid(tx: Tx, title_id: WorkId, room: str, starts: list[int]) -> CurveRow | None:
    """A title's curve on any grid, from every voice; `starts` are the segments' first positions."""
    return await tx.maybe(
        CurveRow,
        """
        with voice as (
            select segment, sum(voice)::bigint as total, count(*) as people
            from wigg.voices_of($1, $3::int[])
            group by segment
        ), cell as (
            select array_agg(coalesce(total, 0) order by segment) as sums,
                   array_agg(coalesce(people, 0) order by segment) as voices
            from generate_series(0, cardinality($3::int[]) - 1) as grid(segment)
            left join voice using (segment)
        )
        select t.total_length_seconds, coalesce(c.version, 0), cell.sums, cell.voices, coalesce(r.seq, 0)
        from cell, catalogue.titles t
        left join wigg.curves c on c.title_id = t.id
        left join kernel.room_seqs r on r.room = $2
        where t.id = $1
        """,
        title_id,
        room,
        starts,
    )
