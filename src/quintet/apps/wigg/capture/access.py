"""From a caller's ids to captures: what is missing and what is not one's own look alike."""

from uuid import UUID

from quintet.apps.wigg.capture import queries
from quintet.apps.wigg.capture.model import Capture, CaptureNotFound, CaptureStopped
from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx


async def capture_to_see(tx: Tx, actor: Actor, capture_id: UUID) -> Capture:
    """One's own capture; raises CaptureNotFound."""
    capture = await queries.own_capture(tx, actor.id, capture_id)
    if capture is None:
        raise CaptureNotFound
    return capture


async def capture_to_change(tx: Tx, actor: Actor, capture_id: UUID) -> Capture:
    """One's own capture, locked until the transaction ends; raises CaptureNotFound or CaptureStopped."""
    capture = await queries.own_capture_locked(tx, actor.id, capture_id)
    if capture is None:
        raise CaptureNotFound
    if capture.stopped_at is not None:
        raise CaptureStopped
    return capture
