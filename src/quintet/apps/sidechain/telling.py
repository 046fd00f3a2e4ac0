"""Telling rooms of somebody's deed, or of what befell them.

Invariant: an event stands as the deed of whom it is about, so that whoever does not see them hears `skip`.
"""

from uuid import UUID

from quintet.kernel.database import Tx
from quintet.kernel.live.log import Event, body_of


def tell_of(tx: Tx, room: str, user_id: UUID, event: Event) -> None:
    """Tell the room what this user did, or what somebody else did to them."""
    if tx.author_id == user_id:
        tx.emit(room, event)
    else:
        tx.pass_on(room, body_of(event), user_id)
