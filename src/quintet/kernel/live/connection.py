"""One live connection: who it is, which rooms it hears, and what it may say.

Invariant: commands of one connection are answered in their order; a connection that floods, babbles or does
not read costs nobody else anything.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol
from uuid import UUID

from quintet.kernel.actor import Actor
from quintet.kernel.http.call import Kernel
from quintet.kernel.ids import new_id
from quintet.kernel.limits import check_allowances
from quintet.kernel.live.joining import MOST_NAME, MOST_ROOMS, TooManyRooms, join
from quintet.kernel.live.messages import (
    Authenticating,
    Id,
    InvalidMessage,
    NotSubscribed,
    Ping,
    SetPresence,
    Subscribe,
    Subscription,
    Unsubscribe,
    as_command,
    error_text,
    frame,
    id_of,
    read_message,
    told,
)
from quintet.kernel.live.room import Chunk, Room
from quintet.kernel.refusals import (
    Forbidden,
    Internal,
    NotSignedIn,
    NotUtf8,
    RateLimited,
    Refusal,
    TooManyConnections,
)
from quintet.kernel.telemetry import get_logger
from quintet.settings import Limit

MOST_UNREADABLE: Final = 10  # in a row
MOST_REFUSALS: Final = 100  # in ten seconds
MOST_WAITING: Final = 16  # messages read but not answered; the next are left to the network
REFUSALS_SECONDS: Final = 10
AUTH_SECONDS: Final = 5
RENEW_SECONDS: Final = 60
INVALID_DATA, POLICY, BROKEN, TRY_LATER, NOT_SIGNED_IN = 1007, 1008, 1011, 1013, 4401


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


class Allowed:
    """A connection's own limit (GCRA, as in the database, but nobody shares it)."""

    def __init__(self, limit: Limit) -> None:
        self._interval = limit.seconds / limit.count
        self._tolerance = limit.burst * self._interval
        self._arrives_at = 0.0

    def take(self, now: float) -> bool:
        """Whether one more is allowed."""
        arrives_at = max(self._arrives_at, now) + self._interval
        if arrives_at - now > self._tolerance:
            return False
        self._arrives_at = arrives_at
        return True


class Connection:
    """The server's end of one socket."""

    def __init__(self, kernel: Kernel, wire: Wire) -> None:
        self.kernel = kernel
        self.hub = kernel.hub
        self.id = new_id()
        self.actor: Actor | None = None
        self.rooms: dict[str, Room] = {}
        self.opened_at = kernel.clock.monotonic()
        self.closed = False
        self._wire = wire
        self._allowed = Allowed(kernel.settings.limit_socket)
        self._inbox: deque[tuple[str, Id, dict[str, Any]]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._find_actor: Callable[[], Awaitable[Actor]] | None = None
        self._address = ""
        self._unreadable = 0
        self._refusals: deque[float] = deque(maxlen=MOST_REFUSALS + 1)
        self.times_shed = 0
        self._is_holding = False
        self._renewal_announced = False
        self.hub.members.add(self)
        self.hub.figures.connections += 1

    @property
    def user_id(self) -> UUID | None:
        """Whose connection it is; None until signed in."""
        return self.actor and self.actor.id

    # --- what the server does -------------------------------------------------------------------------

    def say(self, text: bytes) -> None:
        """Send one message."""
        self.hub.figures.messages_out += 1
        self._wire.send(frame(text))

    def hear(self, room: Room, chunk: Chunk) -> None:  # noqa: ARG002 (named so by Member)
        """Pass on what a room tells."""
        self.hub.figures.messages_out += len(chunk.items)
        self._wire.send(chunk.frames_for(self.user_id) if chunk.authors else chunk.frames)

    def lose_place(self, room: Room) -> None:
        """Tell the client to read the room anew."""
        self.hub.figures.resets += 1
        self.say(told("reset", room=room.name, epoch=self.hub.epoch, seq=room.delivered))

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

    async def drained(self) -> None:
        """Wait until the peer has taken most of what was sent."""
        await self._wire.drained()

    def close(self, code: int, reason: str = "") -> None:
        """End the connection."""
        self._wire.close(code, reason)

    def lost(self) -> None:
        """The connection is gone: leave every room."""
        if self.closed:
            return
        self.closed = True
        if self._worker is not None:
            self._worker.cancel()
        rooms = list(self.rooms.values())
        self.rooms.clear()
        for room in rooms:
            self.hub.leave(room, self)
        self.hub.members.discard(self)
        self.hub.figures.connections -= 1
        self.kernel.presence.connection_lost(self, [room.name for room in rooms])

    def look_after(self, now: float) -> None:
        """Once a second: see after the peer, the time to sign in, and the token."""
        self._wire.look_after(now)
        if self.closed:
            return
        if self.actor is None:
            is_asked = self._worker is not None  # it is we who are slow: no reason to send anybody away
            if now - self.opened_at > AUTH_SECONDS and not is_asked:
                self.refuse_sign_in(NotSignedIn("sign in within five seconds"))
            return
        left = self.actor.token_expires_at - self.kernel.clock.now().timestamp()
        if left <= 0:
            self.refuse_sign_in(NotSignedIn("the access token has expired"))
        elif left <= RENEW_SECONDS and not self._renewal_announced:
            self._renewal_announced = True
            self.say(told("token_expiring", in_seconds=max(1, round(left))))

    def refuse_sign_in(self, refusal: Refusal) -> None:
        """Say why, and close."""
        self.say(error_text(refusal))
        self.close(TRY_LATER if refusal.status in {429, 503} else NOT_SIGNED_IN)

    def begin(self, address: str, find_actor: Callable[[], Awaitable[Actor]] | None) -> None:
        """The socket is open: sign in, or wait for an `auth` message where there is nothing to sign in by."""
        self._address, self._find_actor = address, find_actor
        self._work()

    async def _sign_in(self, find_actor: Callable[[], Awaitable[Actor]]) -> None:
        """Find out who it is, welcome them, and let them hear their own room."""
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
        async with self.hub.holding(f"user:{actor.id}") as room:
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

    # --- what the client says -------------------------------------------------------------------------

    def receive(self, data: bytes, *, is_text: bool = True) -> None:
        """A message came: answer it, after those that came before."""
        self.hub.figures.messages_in += 1
        now = self.kernel.clock.monotonic()
        if not self._allowed.take(now):
            self._refuse(RateLimited(1, {}), None)
            return
        try:
            kind, fields = read_message(data, is_text=is_text)
        except InvalidMessage as refusal:
            self._unreadable += 1
            if isinstance(refusal.__cause__, NotUtf8):
                self.close(INVALID_DATA)  # RFC 6455, 8.1
                return
            self._refuse(refusal, None)
            if self._unreadable >= MOST_UNREADABLE:
                self.close(POLICY, "unreadable messages")
            return
        self._unreadable = 0
        self._inbox.append((kind, id_of(fields), fields))
        if len(self._inbox) >= MOST_WAITING and not self._is_holding:
            self._is_holding = True
            self._wire.hold(is_held=True)
        self._work()

    def _work(self) -> None:
        """Answer what waits, in its order."""
        if self._worker is None and (self._inbox or self._find_actor):
            self._worker = asyncio.create_task(self._answer_all())

    async def _answer_all(self) -> None:
        try:
            if self._find_actor is not None:
                find_actor, self._find_actor = self._find_actor, None
                await self._try_to_sign_in(find_actor)
            while self._inbox and not self.closed:
                await self._wire.drained()  # an answer must not be thrown away with what is not taken
                kind, id_, fields = self._inbox.popleft()
                if self._is_holding and not self._inbox:
                    self._is_holding = False
                    self._wire.hold(is_held=False)
                try:
                    await self._answer(kind, fields)
                except Refusal as refusal:
                    self._refuse(refusal, id_, fields.get("room"))
                except Exception as error:  # noqa: BLE001 (a bug in answering one message ends no connection)
                    get_logger().error("bug", message=kind, exc_info=error)
                    self._refuse(Internal(), id_)
        finally:
            self._worker = None

    async def _try_to_sign_in(self, find_actor: Callable[[], Awaitable[Actor]]) -> None:
        try:
            async with self.hub.entrance:
                await self._sign_in(find_actor)
        except Refusal as refusal:
            self.refuse_sign_in(refusal)
        except Exception as error:  # noqa: BLE001 (a bug: whoever waits for a welcome is to hear of it)
            get_logger().error("bug", message="sign_in", exc_info=error)
            self.say(error_text(Internal()))
            self.close(BROKEN)

    async def _answer(self, kind: str, fields: dict[str, Any]) -> None:
        if self.actor is None:
            if kind != "auth":
                self.refuse_sign_in(NotSignedIn())
                return
            token = as_command(fields, Authenticating).token
            await self._try_to_sign_in(lambda: self.kernel.authenticate(token))
            return
        match kind:
            case "ping":
                self.say(told("pong", id=as_command(fields, Ping).id))
            case "subscribe":
                await self._subscribe(self.actor, as_command(fields, Subscribe))
            case "unsubscribe":
                self._unsubscribe(as_command(fields, Unsubscribe))
            case "presence":
                self._set_presence(as_command(fields, SetPresence))
            case "auth":
                await self._renew(self.actor, as_command(fields, Authenticating))
            case _:
                raise InvalidMessage(f"no messages of type {kind[:40]} are known")

    async def _subscribe(self, actor: Actor, asked: Subscribe) -> None:
        if asked.rooms is None:
            if asked.room is None:
                raise InvalidMessage("`room` is missing")
            await join(self, actor, Subscription(asked.room, asked.since, asked.epoch), asked.id)
            return
        if len(asked.rooms) > MOST_ROOMS + 1:  # one's own is not counted
            raise TooManyRooms
        for one in asked.rooms:
            try:
                await join(self, actor, one, asked.id)
            except Refusal as refusal:
                self._refuse(refusal, asked.id, one.room)

    def _unsubscribe(self, asked: Unsubscribe) -> None:
        room = self.rooms.pop(asked.room, None)
        if room is None:
            raise NotSubscribed
        self.hub.leave(room, self)
        self.kernel.presence.left(self, room.name)
        self.say(told("unsubscribed", id=asked.id, room=asked.room))

    def put_out(self, room: Room, reason: Refusal) -> None:
        """End the membership of a room, and say why; does nothing where there is none."""
        if self.rooms.pop(room.name, None) is None:
            return
        self.hub.leave(room, self)
        self.kernel.presence.left(self, room.name)
        self.say(told("unsubscribed", room=room.name, reason=reason.code))

    def _set_presence(self, asked: SetPresence) -> None:
        if asked.room is not None and asked.room not in self.rooms:
            raise NotSubscribed
        self.kernel.presence.set(self, asked.room, asked.status, asked.mode)

    async def _renew(self, present: Actor, asked: Authenticating) -> None:
        actor = await self.kernel.authenticate(asked.token)
        if actor.id != present.id:
            raise Forbidden("the token is somebody else's")
        self.actor = actor
        self._renewal_announced = False
        now = self.kernel.clock.now()
        left = int(actor.token_expires_at - now.timestamp())
        self.say(told("system", id=asked.id, event="authenticated", user_id=actor.id, expires_in=left))

    def _refuse(self, refusal: Refusal, id_: Id, room: Any = None) -> None:
        is_room = isinstance(room, str) and len(room) <= MOST_NAME  # longer ones are not worth repeating
        self.say(error_text(refusal, id_, **({"room": room} if is_room else {})))
        now = self.kernel.clock.monotonic()
        self._refusals.append(now)
        if len(self._refusals) > MOST_REFUSALS and now - self._refusals[0] < REFUSALS_SECONDS:
            self.close(POLICY, "too many refusals")
