"""From a caller's id to a sound: what is missing and what may not be heard look alike."""

from uuid import UUID

from quintet.apps.sidechain.audio import queries
from quintet.apps.sidechain.audio.model import AudioNotFound, AudioRow
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx


async def audio_to_hear(tx: Tx, actor: Actor, audio_id: UUID) -> AudioRow:
    """A sound of one's own, or of a post that one may see; raises AudioNotFound."""
    found = await queries.audio_for(tx, actor.id, audio_id)
    if found is None:
        raise AudioNotFound
    return found
