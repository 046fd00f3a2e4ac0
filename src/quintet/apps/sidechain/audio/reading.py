"""Audio for those who show it: posts.

Invariant: an address is told only by whoever has judged that the caller may hear what it leads to.
"""

from collections.abc import Iterable
from uuid import UUID

from quintet.apps.sidechain.audio import queries
from quintet.apps.sidechain.audio.model import Audio, AudioId, AudioNotFound, AudioRow, OwnAudio
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel


async def audio_of(tx: Tx, kernel: Kernel, ids: Iterable[UUID]) -> dict[UUID, Audio]:
    """These sounds with fresh addresses, by their ids; those that are missing are left out."""
    wanted = list(ids)
    if not wanted:
        return {}
    return {row.id: shown(kernel, row) for row in await queries.audio(tx, wanted)}


async def check_own_audio(tx: Tx, actor: Actor, audio_id: UUID) -> AudioId:
    """Raise AudioNotFound where this is no sound of the actor's; else it stays until the transaction ends."""
    return (await own_audio(tx, actor, audio_id)).id


async def own_audio(tx: Tx, actor: Actor, audio_id: UUID) -> OwnAudio:
    """One's own sound, locked; raises AudioNotFound."""
    found = await queries.own_audio_locked(tx, actor.id, audio_id)
    if found is None:
        raise AudioNotFound
    return found


def shown(kernel: Kernel, row: AudioRow) -> Audio:
    """A sound as it is shown, with an address that is good for six hours at least."""
    return Audio(
        row.id,
        kernel.files.address(row.id, kernel.clock.now()),
        row.duration_seconds,
        row.sample_rate,
        row.channels,
        [round(peak / 255, 3) for peak in row.waveform],
    )
