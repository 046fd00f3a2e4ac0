"""The verbs of shared pictures: share, withdraw.

Invariant: publishing a list is its owner's act alone, and taking the address back takes effect at once.
"""

import secrets
from typing import Final

from quintet.apps.marquee.pictures import queries
from quintet.apps.marquee.pictures.model import (
    PictureId,
    PictureNotFound,
    PictureRow,
    PictureShared,
    PictureWithdrawn,
)
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.live.names import user_room

_ID_BYTES: Final = 16  # 128 bits: guessing is hopeless


async def share_list(tx: Tx, actor: Actor) -> tuple[PictureRow, bool]:
    """Give one's list a public address, if it has none yet; and whether it is new."""
    picture_id = PictureId(secrets.token_urlsafe(_ID_BYTES))
    if await queries.add_picture(tx, actor.id, picture_id, tx.now):
        tx.emit(user_room(actor.id), PictureShared(picture_id=picture_id))
        return PictureRow(picture_id, tx.now), True
    return await picture_to_see(tx, actor), False


async def picture_to_see(tx: Tx, actor: Actor) -> PictureRow:
    """One's own picture; raises PictureNotFound where one's list is not shared."""
    found = await queries.picture_of(tx, actor.id)
    if found is None:
        raise PictureNotFound
    return found


async def withdraw(tx: Tx, actor: Actor) -> None:
    """Take the address back for good; what was not shared stays so."""
    picture_id = await queries.remove_picture(tx, actor.id)
    if picture_id is not None:
        # This also ends every node's memory of the picture, which is kept under the room's seq.
        tx.emit(user_room(actor.id), PictureWithdrawn(picture_id=picture_id))
