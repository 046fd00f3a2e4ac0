"""The statements that tell of milestones, and plan when captures wake up."""

from collections.abc import Sequence

import msgspec

from quintet.apps.wigg.capture.model import Capture, CaptureId, Reached
from quintet.apps.wigg.milestones.queries import LOCK
from quintet.domains.catalogue import WorkId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx
from quintet.kernel.json import encode


class Span(msgspec.Struct, frozen=True):
    """A stretch of a title that a capture went through: behind `starts`, up to `ends`."""

    capture_id: CaptureId
    title_id: WorkId
    starts: int
    ends: int


class Planned(msgspec.Struct, frozen=True):
    """A capture as it is to be written, and when it wakes up next."""

    id: CaptureId
    mode: str
    speed: float
    length_seconds: float | None
    anchor_position: int
    anchor_at: Instant
    paused_at: Instant | None
    updated_at: Instant
    stopped_at: Instant | None
    wakes_at: Instant | None


async def reach_milestones(tx: Tx, spans: Sequence[Span]) -> list[Reached]:
    """Note the milestones that lie in the spans and were not told before, and answer them in order."""
    return await tx.all(
        Reached,
        """
        with span as (
            select capture_id, title_id, starts, ends
            from jsonb_to_recordset($1::jsonb)
                as span(capture_id uuid, title_id text, starts integer, ends integer)
        ), passed as (
            insert into wigg.reached_milestones (capture_id, milestone_id, reached_at)
            select span.capture_id, m.id, $2
            from span
            join wigg.milestones m on m.title_id = span.title_id
                and m.position > span.starts and m.position <= span.ends
            on conflict do nothing
            returning capture_id, milestone_id
        )
        select passed.capture_id, m.id, m.label, m.icon, m.position
        from passed join wigg.milestones m on m.id = passed.milestone_id
        order by passed.capture_id, m.position, m.id
        """,
        encode(spans).decode(),
        tx.now,
    )


async def next_milestones(tx: Tx, spans: Sequence[Span]) -> dict[CaptureId, int]:
    """For each span's capture the position of the next milestone behind its end that it has not told of."""
    rows = await tx.all(
        lambda capture_id, position: (capture_id, position),
        """
        select span.capture_id, min(m.position)
        from jsonb_to_recordset($1::jsonb)
            as span(capture_id uuid, title_id text, starts integer, ends integer)
        join wigg.milestones m on m.title_id = span.title_id and m.position > span.ends
        where not exists (
            select from wigg.reached_milestones r
            where r.capture_id = span.capture_id and r.milestone_id = m.id
        )
        group by span.capture_id
        """,
        encode(spans).decode(),
    )
    return dict(rows)


async def write_captures(tx: Tx, planned: Sequence[Planned]) -> None:
    """Write changed captures back."""
    await tx.send(
        """
        update wigg.captures c
        set mode = p.mode, speed = p.speed, length_seconds = p.length_seconds,
            anchor_position = p.anchor_position, anchor_at = p.anchor_at, paused_at = p.paused_at,
            updated_at = p.updated_at, stopped_at = p.stopped_at, wakes_at = p.wakes_at
        from jsonb_to_recordset($1::jsonb) as p(
            id uuid, mode text, speed double precision, length_seconds double precision,
            anchor_position integer, anchor_at timestamptz, paused_at timestamptz, updated_at timestamptz,
            stopped_at timestamptz, wakes_at timestamptz
        )
        where c.id = p.id
        """,
        encode(planned).decode(),
    )


async def next_wake_up(tx: Tx) -> Instant | None:
    """When the next capture wakes up, of all there are."""
    return await tx.value("select min(wakes_at) from wigg.captures where wakes_at is not null")


async def due_captures(tx: Tx, most: int) -> list[Capture]:
    """Captures that are to wake up, locked; those another node has taken are left to it."""
    return await tx.all(
        Capture,
        """
        select id, user_id, title_id, mode, speed, length_seconds, anchor_position, anchor_at, paused_at,
               started_at, updated_at, stopped_at
        from wigg.captures
        where wakes_at <= $1
        order by wakes_at
        limit $2
        for no key update skip locked
        """,
        tx.now,
        most,
    )


async def let_milestones_settle(tx: Tx, title_id: WorkId) -> None:
    """Wait for whoever writes milestones of the title, and let nobody write more until the transaction ends.

    Who writes them plans anew what is captured, but does not see a capture that is only being started; so
    that one comes before or after it, never beside it.
    """
    await tx.send("select pg_advisory_xact_lock_shared($1, hashtext($2))", LOCK, title_id)


async def replan_captures(tx: Tx, title_id: WorkId) -> None:
    """Anchor what moves along the title where it is now, by the title's present length, and wake it up.

    One that is due already is left as it is: what it has passed is still to be told.
    """
    await tx.send(
        """
        update wigg.captures c
        set anchor_position = wigg.capture_position(c, $2), anchor_at = greatest(c.anchor_at, $2),
            wakes_at = $2,
            length_seconds = case when c.mode = 'player' then c.length_seconds
                                  else coalesce(t.total_length_seconds, c.length_seconds) end
        from catalogue.titles t
        where c.title_id = $1 and t.id = $1 and c.mode <> 'manual' and c.stopped_at is null
          and c.paused_at is null and (c.wakes_at is null or c.wakes_at > $2)
        """,
        title_id,
        tx.now,
    )
