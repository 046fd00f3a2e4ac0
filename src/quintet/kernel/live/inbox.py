"""What a client sends: read, bounded, and answered in its order.

Invariant: messages of one connection are answered one after the other; one that floods or babbles costs
nobody else anything, and is closed.
"""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from quintet.kernel.live.commands import answer
from quintet.kernel.live.joining import MOST_NAME
from quintet.kernel.live.messages import Id, InvalidMessage, error_text, id_of, read_message
from quintet.kernel.refusals import Internal, NotUtf8, RateLimited, Refusal
from quintet.kernel.telemetry import get_logger
from quintet.settings import Limit

if TYPE_CHECKING:
    from quintet.kernel.live.connection import Connection, FindActor

MOST_UNREADABLE: Final = 10  # in a row
MOST_REFUSALS: Final = 100  # in ten seconds
MOST_WAITING: Final = 16  # messages read but not answered; the next are left to the network
REFUSALS_SECONDS: Final = 10
INVALID_DATA, POLICY, BROKEN = 1007, 1008, 1011


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


class Inbox:
    """The messages of one connection."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._allowed = Allowed(connection.kernel.settings.limit_socket)
        self._waiting: deque[tuple[str | None, Id, dict[str, Any]]] = deque()  # a pong is of no type
        self._worker: asyncio.Task[None] | None = None
        self._find_actor: FindActor | None = None
        self._unreadable = 0
        self._refusals: deque[float] = deque(maxlen=MOST_REFUSALS + 1)
        self._is_holding = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_busy(self) -> bool:
        """Whether something is being answered."""
        return self._worker is not None

    def begin(self, find_actor: "FindActor") -> None:
        """Sign in first, before anything is answered."""
        self._find_actor = find_actor
        self._work()

    def cancel(self) -> None:
        """The connection is gone: stop answering."""
        if self._worker is not None:
            self._worker.cancel()

    def receive(self, data: bytes, *, is_text: bool = True) -> None:
        """A message came: answer it, after those that came before."""
        connection = self._connection
        connection.hub.figures.messages_in += 1
        if not self._allowed.take(connection.kernel.clock.monotonic()):
            self.refuse(RateLimited(1, {}), None)
            return
        try:
            kind, fields = read_message(data, is_text=is_text)
        except InvalidMessage as refusal:
            self._note_unreadable(refusal)
            return
        self._unreadable = 0
        self._waiting.append((kind, id_of(fields), fields))
        if len(self._waiting) >= MOST_WAITING and not self._is_holding:
            self._is_holding = True
            connection.wire.hold(is_held=True)
        self._work()

    def receive_pong(self, payload: bytes) -> None:
        """A pong came: it says what the peer had read when it sent what it sends from now on, not before."""
        connection = self._connection
        if self._worker is None:
            connection.take_pong(payload)
        elif self._waiting and self._waiting[-1][0] is None:
            self._waiting[-1] = (None, None, {"payload": payload})
        else:
            self._waiting.append((None, None, {"payload": payload}))

    def refuse(self, refusal: Refusal, id_: Id, room: Any = None) -> None:
        """Say no; close on whoever keeps asking for what cannot be."""
        is_room = isinstance(room, str) and len(room) <= MOST_NAME  # longer ones are not worth repeating
        connection = self._connection
        connection.say(error_text(refusal, id_, **({"room": room} if is_room else {})))
        now = connection.kernel.clock.monotonic()
        self._refusals.append(now)
        if len(self._refusals) > MOST_REFUSALS and now - self._refusals[0] < REFUSALS_SECONDS:
            connection.close(POLICY, "too many refusals")

    def _note_unreadable(self, refusal: InvalidMessage) -> None:
        if isinstance(refusal.__cause__, NotUtf8):
            self._connection.close(INVALID_DATA)  # RFC 6455, 8.1
            return
        self._unreadable += 1
        self.refuse(refusal, None)
        if self._unreadable >= MOST_UNREADABLE:
            self._connection.close(POLICY, "unreadable messages")

    def _work(self) -> None:
        if self._worker is None and (self._waiting or self._find_actor):
            self._worker = asyncio.create_task(self._answer_all())

    async def _answer_all(self) -> None:
        connection = self._connection
        try:
            if self._find_actor is not None:
                find_actor, self._find_actor = self._find_actor, None
                await self._sign_in(find_actor)
            while self._waiting and not connection.closed:
                await connection.wire.drained()  # an answer must not be thrown away with what is not taken
                kind, id_, fields = self._waiting.popleft()
                if self._is_holding and not self._waiting:
                    self._is_holding = False
                    connection.wire.hold(is_held=False)
                if kind is None:
                    connection.take_pong(fields["payload"])
                else:
                    await self._answer(kind, id_, fields)
        finally:
            self._worker = None

    async def _sign_in(self, find_actor: "FindActor") -> None:
        try:
            await self._connection.sign_in(find_actor)
        except Exception as error:  # noqa: BLE001 (a bug: whoever waits for a welcome is to hear of it)
            self._note_bug("sign_in", error)
            self._connection.close(BROKEN)

    async def _answer(self, kind: str, id_: Id, fields: dict[str, Any]) -> None:
        try:
            await answer(self._connection, kind, fields)
        except Refusal as refusal:
            self.refuse(refusal, id_, fields.get("room"))
        except Exception as error:  # noqa: BLE001 (a bug in answering one message ends no connection)
            self._note_bug(kind, error, id_)
            if self._connection.actor is None:
                self._connection.close(BROKEN)

    def _note_bug(self, kind: str, error: Exception, id_: Id = None) -> None:
        get_logger().error("bug", message=kind[:40], exc_info=error)
        self.refuse(Internal(), id_)
