"""One live connection: who it is, and which rooms it hears.

Invariant: whoever is in a room hears all of it, or is told to read it anew; a connection that is lost leaves
nothing behind.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol
from uuid import UUID

from quintet.kernel.actor import Actor
from quintet.kernel.http.call import Kernel
from quintet.kernel.ids import new_id
from quintet.kernel.limits import check_allowances
from quintet.kernel.live.inbox import Inbox
from quintet.kernel.live.messages import error_text, frame, told
from quintet.kernel.live.names import shown, user_room
from quintet.kernel.live.room import Chunk, Room
from quintet.kernel.refusals import NotSignedIn, Refusal, TooManyConnections

AUTH_SECONDS: Final = 5
RENEW_SECONDS: Final = 60
TRY_LATER, NOT_SIGNED_IN = 1013, 4401
NOBODY: Final[frozenset[UUID]] = frozenset()
FindActor = Callable[[], Awaitable[Actor]]


class Wire(Protocol):
    """What a connection writes to."""

    def send(self, frames: bytes) -> None:
        """Send whole frames, now or when the peer takes them."""
        ...

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame and close."""
        ...

    async def drained(self) -> None:
        """Wait until the peer has taken most of what was sent."""
        ...

    def hold(self, *, is_held: bool) -> None:
        """Read no more for now, or go on reading."""
        ...

    def look_after(self, now: float) -> None:
        """Once a second: see whether the peer is still there and keeps up."""
        ...


class Connection:
    """The server's end of one socket."""

    def __init__(self, kernel: Kernel, wire: Wire, address: str) -> None:
        self.kernel = kernel
        self.hub = kernel.hub
        self.wire = wire
        self.id = new_id()
        self.actor: Actor | None = None
        self.rooms: dict[str, Room] = {}
        self.closed = False
        self.times_shed = 0
        self._hidden: frozenset[UUID] = NOBODY  # whose deeds this user does not see, where rooms hide people
        self._knows_hidden = False
        self._learning = asyncio.Lock()
        self.inbox = Inbox(self)
        self._address = address
        self._opened_at = kernel.clock.monotonic()
        self._renewal_announced = False
        self.hub.members.add(self)
        self.hub.figures.connections += 1

    @property
    def user_id(self) -> UUID | None:
        """Whose connection it is; None until signed in."""
        return self.actor and self.actor.id

    def say(self, text: bytes) -> None:
        """Send one message."""
        self.hub.figures.messages_out += 1
        self.wire.send(frame(text))

    def hear(self, room: Room, chunk: Chunk) -> None:
        """Pass on what a room tells."""
        self.hub.figures.messages_out += len(chunk.items)
        hidden = self._hidden if room.hides_people else NOBODY
        self.wire.send(chunk.frames_for(self.user_id, hidden) if hidden or chunk.authors else chunk.frames)

    def lose_place(self, room: Room) -> None:
        """Tell the client to read the room anew."""
        self.hub.figures.resets += 1
        self.say(told("reset", room=shown(room.name), epoch=self.hub.epoch, seq=room.delivered))

    def pass_over(self) -> None:
        """Let what is about to be told go by, while it is thrown away still."""
        for room in self.rooms.values():
            room.flush()

    def lose_all_places(self) -> None:
        """What waited for this slow reader was thrown away: have it read every room anew."""
        self.hub.figures.shed_readers += 1
        self.times_shed += 1
        for room in self.rooms.values():
            if self in room.members:  # else it is joining, and is told there
                self.lose_place(room)

    def close(self, code: int, reason: str = "") -> None:
        """End the connection."""
        self.wire.close(code, reason)

    def lost(self) -> None:
        """The connection is gone: leave every room."""
        if self.closed:
            return
        self.closed = True
        self.inbox.cancel()
        rooms = list(self.rooms.values())
        self.rooms.clear()
        for room in rooms:
            self.hub.leave(room, self)
        self.hub.members.discard(self)
        self.hub.figures.connections -= 1
        self.kernel.presence.connection_lost(self, [room.name for room in rooms])

    def leave(self, room: Room) -> None:
        """Hear the room no more."""
        self.rooms.pop(shown(room.name), None)
        self.hub.leave(room, self)
        self.kernel.presence.left(self, room.name)

    def put_out(self, room: Room, reason: Refusal) -> None:
        """End the membership of a room, and say why; does nothing where there is none."""
        if shown(room.name) in self.rooms:
            self.leave(room)
            self.say(told("unsubscribed", room=shown(room.name), reason=reason.code))

    async def learn_hidden(self, room: Room) -> None:
        """Before a room that hides people is joined for the first time: learn whom this user does not see."""
        if room.hides_people and not self._knows_hidden:
            self._knows_hidden = True  # from now on a review looks again, after us
            try:
                await self.relearn_hidden()
            except BaseException:
                self._knows_hidden = False
                raise

    async def relearn_hidden(self) -> None:
        """Look again whom the user does not see, if that is known here at all."""
        # One reading at a time, so that the last one counts.
        async with self._learning:
            if self._knows_hidden and self.actor is not None:
                async with self.kernel.database.statement() as tx:
                    self._hidden = await self.kernel.hidden_from(tx, self.actor.id)

    def look_after(self, now: float) -> None:
        """Once a second: see after the peer, the time to sign in, and the token."""
        self.wire.look_after(now)
        if self.closed:
            return
        if self.actor is None:
            # While we are at it, it is we who are slow: no reason to send anybody away.
            if now - self._opened_at > AUTH_SECONDS and not self.inbox.is_busy:
                self.refuse_sign_in(NotSignedIn("sign in within five seconds"))
            return
        left = self.actor.token_expires_at - self.kernel.clock.now().timestamp()
        if left <= 0:
            self.refuse_sign_in(NotSignedIn("the access token has expired"))
        elif left <= RENEW_SECONDS and not self._renewal_announced:
            self._renewal_announced = True
            self.say(told("token_expiring", in_seconds=max(1, round(left))))

    def renew(self, actor: Actor) -> None:
        """Go on under a new token of the same user."""
        self.actor = actor
        self._renewal_announced = False

    def refuse_sign_in(self, refusal: Refusal) -> None:
        """Say why, and close."""
        self.say(error_text(refusal))
        self.close(TRY_LATER if refusal.status in {429, 503} else NOT_SIGNED_IN)

    async def sign_in(self, find_actor: FindActor) -> None:
        """Find out who it is, welcome them, and let them hear their own room; or refuse and close."""
        try:
            async with self.hub.entrance:
                await self._sign_in(find_actor)
        except Refusal as refusal:
            self.refuse_sign_in(refusal)

    async def _sign_in(self, find_actor: FindActor) -> None:
        kernel = self.kernel
        try:
            actor = await find_actor()
        except NotSignedIn:
            await self._count("anonymous", self._address)
            raise
        await self._count("signed_in", str(actor.id))
        if not await kernel.presence.admit(self, actor.id):
            raise TooManyConnections
        self.actor = actor
        if self.closed:  # meanwhile
            kernel.presence.connection_lost(self, [])
            return
        kernel.presence.connected(self)
        async with self.hub.holding(user_room(actor.id)) as room:
            if self.closed:
                return
            now = kernel.clock.now()
            welcome = told(
                "system", event="connected", connection_id=self.id, user_id=actor.id, server_time=now
            )
            self.say(welcome)
            self.rooms[room.name] = room
            self.hub.enter(room, self)

    async def _count(self, policy: str, key: str) -> None:
        kernel = self.kernel
        check_allowances([await kernel.limits.take(policy, key, kernel.settings.limit(policy))])
