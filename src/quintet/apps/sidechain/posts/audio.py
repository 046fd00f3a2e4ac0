"""The audio of posts.

Invariant: an address is made only for whoever was found to see the post.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel
from quintet.kernel.refusals import NotFound

Audio = dict[str, Any]


class AudioNotFound(NotFound):
    """There is no such audio."""

    code = "not_found"


async def audio_of(tx: Tx, kernel: Kernel, ids: Iterable[UUID]) -> dict[UUID, Audio]:
    """What is shown of these."""
    _ = tx, kernel, ids
    return {}


async def check_own_audio(tx: Tx, actor: Actor, audio_id: UUID) -> None:
    """Raise AudioNotFound where it is not the actor's own."""
    _ = tx, actor, audio_id
    raise AudioNotFound
