"""Reviews: who may still be in a room, and whom somebody does not see, looked at when it may have changed.

Invariant: a review is an event of a log that every node reads like any other room's, so none is missed. What
was missed because this node read nothing for a while is made up for by reviewing every room.
"""

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from quintet.kernel.actor import Actor
from quintet.kernel.live.log import Reviewed
from quintet.kernel.live.names import REVIEWS, USER
from quintet.kernel.live.room import Chunk, Room, Told
from quintet.kernel.refusals import Forbidden, NotFound, Refusal

if TYPE_CHECKING:
    from quintet.kernel.http.call import Kernel


_Asked = tuple[str, UUID | None]  # a room, and one user or anybody


class _Reviewer:
    """This node as a member of the room in which reviews are asked for."""

    actor: Actor | None = None
    user_id: UUID | None = None

    def __init__(self, kernel: "Kernel") -> None:
        self._kernel = kernel
        self._asked: dict[_Asked, None] = {}
        self._wake = asyncio.Event()

    def hear(self, room: Room, chunk: Chunk) -> None:  # noqa: ARG002 (named so by Member)
        """A right may have ended somewhere."""
        for one in chunk.items:
            if isinstance(one, Told):
                asked = msgspec.json.decode(one.event.body, type=Reviewed)
                self._ask((asked.reviews, asked.user_id))

    def lose_place(self, room: Room) -> None:  # noqa: ARG002 (named so by Member)
        """It is not known which: any may."""
        for name in self._kernel.hub.rooms:
            self._ask((name, None))

    def close(self, code: int = 0) -> None:
        """Nobody closes this one."""

    def put_out(self, room: Room, reason: Refusal) -> None:
        """Nobody puts this one out."""

    async def review_own(self) -> None:
        """The nodes have no room of their own."""

    async def keep_reviewing(self) -> None:
        """Review what is asked for, a room at a time; for as long as the server runs."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._asked:
                asked = next(iter(self._asked))
                del self._asked[asked]  # before the look: what is asked for during it is looked at again
                await review(self._kernel, *asked)  # where it fails, all is reviewed at the next beginning

    def _ask(self, asked: _Asked) -> None:
        self._asked[asked] = None
        self._wake.set()


async def keep_reviewing(kernel: "Kernel") -> None:
    """Hear which rooms are to be reviewed, and review them; for as long as the server runs."""
    reviewer = _Reviewer(kernel)
    async with kernel.hub.holding(REVIEWS) as room:
        kernel.hub.enter(room, reviewer)
        try:
            reviewer.lose_place(room)  # what was asked for before is not known
            await reviewer.keep_reviewing()
        finally:
            kernel.hub.leave(room, reviewer)


async def review(kernel: "Kernel", name: str, user_id: UUID | None = None) -> None:
    """Put out of the room, on this node, who may not be in it any more: this user, or anybody."""
    kernel.hub.reviews += 1
    room = kernel.hub.rooms.get(name)
    if room is None:
        return
    members = list(room.members)
    if name.partition(":")[0] == USER:
        for one in members:
            await one.review_own()
        return
    actors = {one.user_id: one.actor for one in members if one.actor and user_id in {None, one.user_id}}
    refusals: dict[UUID | None, Refusal] = {}
    async with kernel.database.statement() as tx:
        for actor in actors.values():
            try:
                await kernel.hub.check_may_stay(tx, actor, name)
            except (Forbidden, NotFound) as refusal:
                refusals[actor.id] = refusal
    for one in members:
        if one.user_id in refusals:
            one.put_out(room, refusals[one.user_id])
