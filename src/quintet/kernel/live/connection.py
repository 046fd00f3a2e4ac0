"""One live connection: who it is, and which rooms it hears.

Invariant: whoever is in a room hears all of it, or is told to read it anew; a connection that is lost leaves
nothing behind.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, Protocol
from uuid import UUID

from quintet.kernel.actor import Actor
from quintet.kernel.http.call import Kernel
from quintet.kernel.ids import new_id
from quintet.kernel.limits import check_allowances
from quintet.kernel.live.inbox import Inbox
from quintet.kernel.live.messages import error_text, frame, told
from quintet.kernel.live.names import shown, user_room
from quintet.kernel.live.overhearing import enter_overheard, overhear, overheard_rooms
from quintet.kernel.live.room import Chunk, Room
from quintet.kernel.refusals import Forbidden, NotFound, NotSignedIn, Refusal, TooManyConnections

AUTH_SECONDS: Final = 5
RENEW_SECONDS: Final = 60
TRY_LATER, NOT_SIGNED_IN = 1013, 4401
MOST_PINGS: Final = 4096  # unanswered; the pong of a later one counts for those forgotten
_PING: Final = b"\x89\x08"  # eight bytes of payload (RFC 6455, 5.5.2)
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
        self.overheard: dict[str, Room] = {}  # heard without having asked, until the first `subscribe`
        self.overhears = bool(kernel.overhears)
        self.of_parts: dict[type, Any] = {}  # what parts keep of this connection, by its type
        self.closed = False
        self.times_shed = 0
        self._hidden: frozenset[UUID] = NOBODY  # whose deeds this user does not see, where rooms hide people
        self._knows_hidden = False
        self._learning = asyncio.Lock()
        self.inbox = Inbox(self)
        self._pings: deque[tuple[bytes, Callable[[], None]]] = deque(maxlen=MOST_PINGS)
        self._pings_sent = 0
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
        if room.voice is not None:
            self.wire.send(room.voice.frames(self, room, chunk))
            return
        hidden = self.hidden_in(room)
        self.wire.send(chunk.frames_for(self.user_id, hidden) if hidden or chunk.authors else chunk.frames)

    def hidden_in(self, room: Room) -> frozenset[UUID]:
        """Whom the user does not see in the room."""
        return self._hidden if room.hides_people else NOBODY

    def lose_place(self, room: Room) -> None:
        """Tell the client to read the room anew."""
        self.hub.figures.resets += 1
        self.say(told("reset", room=shown(room.name), epoch=room.epoch, seq=room.delivered))
        if room.voice is not None:
            self.wire.send(room.voice.lost_place(self, room))

    def ping(self, answered: Callable[[], None]) -> bytes:
        """A ping to be sent behind a message at once; `answered` is called when the peer has got so far."""
        self._pings_sent += 1
        payload = self._pings_sent.to_bytes(8, "big")
        self._pings.append((payload, answered))
        return _PING + payload

    def take_pong(self, payload: bytes) -> None:
        """The peer has got as far as this ping, and so past all earlier ones (RFC 6455, 5.5.3)."""
        if len(payload) != 8 or not self._pings or not self._pings[0][0] <= payload <= self._pings[-1][0]:
            return
        while self._pings and self._pings[0][0] <= payload:
            self._pings.popleft()[1]()

    def pass_over(self) -> None:
        """Let what is about to be told go by, while it is thrown away still."""
        for room in (*self.rooms.values(), *self.overheard.values()):
            room.flush()

    def lose_all_places(self) -> None:
        """What waited for this slow reader was thrown away: have it read every room anew."""
        self.hub.figures.shed_readers += 1
        self.times_shed += 1
        for room in (*self.rooms.values(), *self.overheard.values()):
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
        self.stop_overhearing()
        self._pings.clear()
        self.hub.members.discard(self)
        self.hub.figures.connections -= 1
        self.kernel.presence.connection_lost(self, [room.name for room in rooms])

    def leave(self, room: Room) -> None:
        """Hear the room no more."""
        self.rooms.pop(shown(room.name), None)
        self._leave_quietly(room)
        self.kernel.presence.left(self, room.name)

    def stop_overhearing(self, but: Collection[str] = ()) -> None:
        """Hear no more, but for these rooms, what was not asked for."""
        for name in [name for name in self.overheard if name not in but]:
            self._leave_quietly(self.overheard.pop(name))

    def _leave_quietly(self, room: Room) -> None:
        self.hub.leave(room, self)
        if room.voice is not None:
            room.voice.left(self, room)

    def put_out(self, room: Room, reason: Refusal) -> None:
        """End the membership of a room, and say why; does nothing where there is none."""
        if room.name in self.overheard:
            self._leave_quietly(self.overheard.pop(room.name))
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

    async def review_own(self) -> None:
        """Look again at what the user's own room was reviewed for: whom they see, and what hangs on that."""
        await self.relearn_hidden()
        await overhear(self)
        if self.actor is None:
            return
        async with self.kernel.database.statement() as tx:
            for room in list(self.rooms.values()):
                try:
                    await self.hub.check_may_stay(tx, self.actor, room.name)
                except (Forbidden, NotFound) as refusal:
                    self.put_out(room, refusal)

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
        reviews = self.hub.reviews
        async with self.hub.holding(user_room(actor.id)) as room, overheard_rooms(self) as overheard:
            if self.closed:
                return
            now = kernel.clock.now()
            welcome = told(
                "system", event="connected", connection_id=self.id, user_id=actor.id, server_time=now
            )
            self.say(welcome)
            self.rooms[room.name] = room
            self.hub.enter(room, self)
            enter_overheard(self, overheard)
        if self.hub.reviews != reviews:  # what there is to hear may have changed before we were in
            await overhear(self)

    async def _count(self, policy: str, key: str) -> None:
        kernel = self.kernel
        check_allowances([await kernel.limits.take(policy, key, kernel.settings.limit(policy))])
