"""Audio's statements.

Invariant: a sound and its file come and go in one transaction.
"""

from uuid import UUID

from quintet.apps.sidechain.audio.model import AudioId, AudioRow, OwnAudio
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx, array


async def add_audio(tx: Tx, row: AudioRow, user_id: UserId) -> None:
    """Write what was heard; no post has it yet."""
    await tx.send(
        """
        insert into sidechain.audio
            (id, user_id, duration_seconds, sample_rate, channels, waveform, loose_since)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        row.id,
        user_id,
        row.duration_seconds,
        row.sample_rate,
        row.channels,
        row.waveform,
        tx.now,
    )


async def audio(tx: Tx, audio_ids: list[UUID]) -> list[AudioRow]:
    """These sounds, in no order; those that are missing are left out."""
    return await tx.all(
        _row,
        """
        select id, duration_seconds, sample_rate, channels, waveform
        from sidechain.audio
        where id = any($1::uuid[])
        """,
        array(audio_ids),
    )


async def audio_for(tx: Tx, viewer_id: UserId, audio_id: UUID) -> AudioRow | None:
    """A sound of the viewer's own, or of a post that the viewer sees; or None."""
    return await tx.maybe(
        _row,
        """
        select a.id, a.duration_seconds, a.sample_rate, a.channels, a.waveform
        from sidechain.audio a
        where a.id = $1 and (a.user_id = $2 or exists (
            select from sidechain.posts p
            where p.audio_id = a.id and sidechain.can_see_post($2, p.user_id, p.channel_id)
        ))
        """,
        audio_id,
        viewer_id,
    )


async def own_audio_locked(tx: Tx, user_id: UserId, audio_id: UUID) -> OwnAudio | None:
    """Somebody's sound, locked until the transaction ends, so that nothing removes it; or None."""
    return await tx.maybe(
        OwnAudio,
        "select id, loose_since from sidechain.audio where id = $1 and user_id = $2 for no key update",
        audio_id,
        user_id,
    )


async def remove_audio(tx: Tx, audio_id: AudioId) -> None:
    """Remove a sound; its file goes with it."""
    await tx.send("delete from sidechain.audio where id = $1", audio_id)


async def remove_loose(tx: Tx, before: Instant, most: int) -> int:
    """Remove up to `most` sounds that no post took since `before`; how many there were."""
    return await tx.run(
        """
        with due as materialized (
            select id from sidechain.audio where loose_since <= $1 order by loose_since limit $2
            for update skip locked
        )
        delete from sidechain.audio
        where id in (select id from due)
        """,
        before,
        most,
    )


def _row(
    audio_id: AudioId, duration_seconds: float, sample_rate: int, channels: int, waveform: bytes
) -> AudioRow:
    return AudioRow(audio_id, duration_seconds, sample_rate, channels, bytes(waveform))
