"""The verbs of audio: keep what was heard, remove it.

Invariant: a sound that a post has is never removed from under it.
"""

from uuid import UUID

from quintet.apps.sidechain.audio import queries
from quintet.apps.sidechain.audio.model import AudioId, AudioInUse, AudioRow
from quintet.apps.sidechain.audio.reading import own_audio
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.files.keeping import Files, Kept
from quintet.kernel.sound.model import Heard


async def keep_audio(
    tx: Tx, files: Files, actor: Actor, kept: Kept, content_type: str, heard: Heard
) -> AudioRow:
    """Make a sound of stored bytes and what was heard in them."""
    await files.add(tx, kept, content_type, actor.id)
    duration = round(heard.frames / heard.sample_rate, 3)
    row = AudioRow(AudioId(kept.id), max(duration, 0.001), heard.sample_rate, heard.channels, heard.waveform)
    await queries.add_audio(tx, row, actor.id)
    return row


async def remove_audio(tx: Tx, actor: Actor, audio_id: UUID) -> None:
    """Remove a sound of one's own that no post has; raises AudioNotFound or AudioInUse."""
    audio = await own_audio(tx, actor, audio_id)
    if audio.loose_since is None:
        raise AudioInUse
    await queries.remove_audio(tx, audio.id)
