"""What is done for documents beside the requests: memory is given back, old history collected, and listeners
are told what the text should be.

Invariant: history is collected up to a rev whose text is kept as a snapshot, never past it.
"""

import asyncio
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from quintet.domains.documents import history_queries, queries, upkeep_queries
from quintet.domains.documents.desk import Desks
from quintet.domains.documents.model import ROOM, document_of
from quintet.domains.documents.reading import text_at
from quintet.kernel.live.messages import frame, told
from quintet.kernel.live.room import Room
from quintet.kernel.refusals import Unavailable

if TYPE_CHECKING:
    from quintet.kernel.http.call import Kernel

LOOK_SECONDS: Final = 1.0
BEACON_SECONDS: Final = 10.0
COLLECT_SECONDS: Final = 60.0
MOST_COLLECTED: Final = 5000  # operations of one document at a time
SESSIONS_KEPT: Final = timedelta(days=90)


async def keep_documents(kernel: "Kernel") -> None:
    """Once a second give memory back and tell beacons; for as long as the server runs."""
    desks = kernel.of_parts[Desks]
    beacons = Beacons(kernel)
    while True:
        desks.give_back()
        await beacons.tell()
        await asyncio.sleep(LOOK_SECONDS)


async def collect_history(kernel: "Kernel") -> None:
    """Once a minute collect what is too old, a bounded part at a time; for as long as the server runs."""
    while True:
        kept = timedelta(days=kernel.settings.document_history_days)
        while await collect_oldest(kernel, kept):
            pass
        async with kernel.database.statement() as tx:
            await upkeep_queries.remove_sessions(tx, tx.now - SESSIONS_KEPT)
        await asyncio.sleep(COLLECT_SECONDS)


async def collect_oldest(kernel: "Kernel", kept: timedelta) -> bool:
    """Collect from the document whose history goes back furthest; False where none is too old."""

    async def act(tx: queries.Tx) -> bool:
        before = int((tx.now - kept).timestamp() * 1000)
        document_id = await upkeep_queries.lock_oldest(tx, before)
        if document_id is None:
            return False
        found = await queries.document(tx, document_id, kernel.epoch)
        if found is None:
            return False
        most = min(found.rev, found.floor_rev + MOST_COLLECTED)
        floor = await history_queries.rev_at(tx, document_id, found.floor_rev, most, before)
        await history_queries.insert_snapshot(
            tx, document_id, floor, await text_at(tx, document_id, found, floor)
        )
        await upkeep_queries.collect(tx, document_id, floor)
        return True

    return await kernel.database.transact(act)


class Beacons:
    """What this node's listeners are told of the text now and then, to find out whether theirs differs."""

    def __init__(self, kernel: "Kernel") -> None:
        self._kernel = kernel
        self._told: dict[str, tuple[float, int]] = {}  # when, and of which rev

    async def tell(self) -> None:
        """Tell those rooms in which something has changed since, each at most every ten seconds."""
        rooms = self._kernel.hub.rooms
        now = self._kernel.clock.monotonic()
        self._told = {name: one for name, one in self._told.items() if name in rooms}
        for name, room in list(rooms.items()):
            if name.partition(":")[0] != ROOM or not room.members or room.delivered < 0:
                continue
            at, rev = self._told.setdefault(name, (now - BEACON_SECONDS, room.delivered))
            if rev != room.delivered and now - at >= BEACON_SECONDS:
                self._told[name] = (now, room.delivered)
                try:
                    await self._tell(room)
                except Unavailable:
                    return

    async def _tell(self, room: Room) -> None:
        document_id = document_of(room.name)
        copy = self._kernel.of_parts[Desks].known(document_id)
        if copy is not None and copy.epoch == room.epoch and copy.rev >= room.delivered:
            epoch, rev, text = copy.epoch, copy.rev, copy.text
        else:
            async with self._kernel.database.statement() as tx:
                found = await queries.document(tx, document_id, self._kernel.epoch)
            if found is None:
                return
            epoch, rev, text = found.epoch, found.rev, found.content
        if epoch == room.epoch:
            digest = hashlib.sha256(text.encode()).hexdigest()
            beacon = told("document_state", room=room.name, document_id=document_id, rev=rev, hash=digest)
            room.say_behind(rev, frame(beacon))
