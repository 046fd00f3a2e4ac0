"""The database: one pool, transactions, typed rows.

Invariant: events emitted in a transaction are numbered and written just before its commit, and told to
listeners only after it. A database that is away is `Unavailable` (503), never a bug.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString, TypeVar
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors
from psycopg.rows import args_row, tuple_row
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from quintet.kernel import json
from quintet.kernel.clock import Clock, Instant
from quintet.kernel.flushing import FlushingConnection
from quintet.kernel.live.log import APPEND, Emitted, Event, Published, Reviewed, body_of, entries, published
from quintet.kernel.live.names import REVIEWS
from quintet.kernel.refusals import Unavailable

T = TypeVar("T")
Row = TypeVar("Row")
Connection = psycopg.AsyncConnection[Any]
Pipeline = psycopg.AsyncPipeline
# The classes of SQLSTATE that say "the database is away or going", not "the statement is wrong".
_AWAY = ("08", "57P", "53", "58")
ATTEMPTS = 4
SESSION = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "TimeZone": "UTC",
        "statement_timeout": "15s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "30s",
        # Where fuzzy search begins to see a likeness; the defaults miss `hamelt` for Hamlet.
        "pg_trgm.similarity_threshold": "0.25",
        "pg_trgm.word_similarity_threshold": "0.4",
    }.items()
)


class _InstantLoader(TimestamptzLoader):
    """Times come out of the database as Instants, so that JSON shows them as the protocol says."""

    def load(self, data: bytes | bytearray | memoryview) -> Instant:
        return Instant.fromisoformat(bytes(data).decode())


Listeners = dict[type, list[Callable[["Tx", Any], Awaitable[None]]]]


class Tx:
    """One transaction, or (from `Database.reading`) one snapshot. Statements count values from `$1`."""

    __slots__ = (
        "_connection", "_events", "_listeners", "_pipeline", "_published", "author_id", "cause", "counted",
        "now", "touched",
    )  # fmt: skip

    def __init__(
        self,
        connection: Connection,
        now: Instant,
        pipeline: Pipeline | None = None,
        listeners: Listeners | None = None,
    ) -> None:
        self._connection = connection
        self._pipeline = pipeline
        self._listeners = listeners or {}
        self._events: list[Emitted] = []
        self._published: list[Published] = []
        self.touched: set[str] = set()
        self.counted: set[tuple[str, str]] = set()
        self.now = now
        self.author_id: UUID | None = None
        self.cause: str | None = None

    async def all(self, row: Callable[..., Row], statement: LiteralString, *values: Any) -> list[Row]:
        """Every row, built by calling `row` with the columns in their order."""
        async with self._connection.cursor(row_factory=args_row(row)) as cursor:
            await cursor.execute(statement, values)
            return await cursor.fetchall()

    async def maybe(self, row: Callable[..., Row], statement: LiteralString, *values: Any) -> Row | None:
        """The one row, or None."""
        async with self._connection.cursor(row_factory=args_row(row)) as cursor:
            await cursor.execute(statement, values)
            return await cursor.fetchone()

    async def one(self, row: Callable[..., Row], statement: LiteralString, *values: Any) -> Row:
        """The one row, which is there."""
        found = await self.maybe(row, statement, *values)
        if found is None:
            raise LookupError("a statement that always answers a row answered none")
        return found

    async def value(self, statement: LiteralString, *values: Any) -> Any:
        """The first column of the first row, or None."""
        async with self._connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(statement, values)
            found = await cursor.fetchone()
            return None if found is None else found[0]

    async def run(self, statement: LiteralString, *values: Any) -> int:
        """Run a statement; how many rows it touched."""
        async with self._connection.cursor() as cursor:
            await cursor.execute(statement, values)
            if self._pipeline is not None:
                await self._pipeline.sync()
            return cursor.rowcount

    async def send(self, statement: LiteralString, *values: Any) -> None:
        """Run a statement whose result nobody needs, without waiting for it.

        It reaches the database in its place among the others, and travels with the next one that is waited
        for, at the latest with the commit; an error of it is raised there.
        """
        async with self._connection.cursor() as cursor:
            await cursor.execute(statement, values)

    def emit(self, room: str, event: Event, *, cause: str | None = None) -> None:
        """Tell the room of a change, if and when this transaction commits.

        Its author, whose request this transaction serves, also hears the cause: this one, else the request's.
        """
        self._events.append(Emitted(room, body_of(event), self.author_id, cause or self.cause))

    def pass_on(self, room: str, body: bytes, author_id: UUID) -> None:
        """Tell the room, likewise, of an event of this author that was encoded before."""
        self._events.append(Emitted(room, body, author_id, None))

    def review(self, room: str, user_id: UUID | None = None) -> None:
        """Let every node look, soon after this commit, whether the user may still be in the room.

        Without a user: everybody who is in it. Of somebody's own room: whom they do not see, wherever they
        are. To be called by whatever may end a right of reading, or changes who is hidden from whom.
        """
        self.emit(REVIEWS, Reviewed(reviews=room, user_id=user_id))

    def publish(self, event: Published) -> None:
        """Tell listeners, after the commit, of an event that this transaction wrote into another log."""
        self._published.append(event)

    def touch(self, subject: str) -> None:
        """Make this node's hot answers about the subject old, if and when this transaction commits.

        For what changes too often to have a room, whose row every commit would wait for.
        """
        self.touched.add(subject)

    def count(self, kind: str, object_id: UUID | str) -> None:
        """Tell whoever listens the number of this kind about the object, soon after this transaction commits.

        A part says by `counts` how the number is read; it is read when it is told, at most 4 times a second.
        """
        self.counted.add((kind, str(object_id)))

    async def announce(self, happening: object) -> None:
        """Let the floors above do, in this transaction, what follows from what has happened here."""
        for listener in self._listeners.get(type(happening), ()):
            await listener(self, happening)

    async def _finish(self) -> list[Published]:
        if not self._events:
            await self._connection.commit()
            return self._published
        async with self._connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(APPEND, (self.now, entries(self._events)))
            await self._connection.commit()  # one journey for both: what was appended is read afterwards
            return self._published + published(self._events, dict(await cursor.fetchall()), self.now)


def array(values: Iterable[object]) -> str:
    """PostgreSQL's literal of an array of ids, numbers or plain words; far faster than the driver's own."""
    return "{" + ",".join(map(str, values)) + "}"


class Database:
    """A pool of connections to one database, and what listens to its commits."""

    def __init__(self, dsn: str, *, connections: int, clock: Clock) -> None:
        self.clock = clock
        self.away = False
        self._dsn = dsn
        self.on_commit: list[Callable[[Sequence[Published]], None]] = []
        self.on_touch: list[Callable[[Iterable[str]], None]] = []
        self.on_count: list[Callable[[Iterable[tuple[str, str]]], None]] = []
        self.listeners: Listeners = defaultdict(list)
        self._pool = AsyncConnectionPool(
            dsn,
            open=False,
            connection_class=FlushingConnection,
            min_size=min(2, connections),
            max_size=connections,
            timeout=5,
            max_waiting=1000,
            reconnect_timeout=2,
            configure=_configure,
            kwargs={"options": SESSION, "prepare_threshold": 0, "connect_timeout": 5},
        )

    async def open(self) -> None:
        """Connect; raises Unavailable when the database does not answer within ten seconds."""
        async with away_is_unavailable():
            await self._pool.open(wait=True, timeout=10)

    async def close(self) -> None:
        """Give every connection back."""
        await self._pool.close()

    async def look(self) -> None:
        """Learn whether the database is there; called by the watch, about twice a second.

        While it is away every use answers `Unavailable` at once instead of queueing for a connection; when
        it is back, connections that died with it are thrown out.
        """
        away = not await asyncio.to_thread(_answers, self._dsn)
        if self.away and not away:
            await self._pool.check()
        self.away = away

    async def transact(self, act: Callable[[Tx], Awaitable[T]]) -> T:
        """Run `act` in a transaction and commit; run anew where the database asks for it (deadlock).

        Whatever `act` raises rolls everything back. When this returns, the change is durable.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._transact(act)
            except (errors.DeadlockDetected, errors.SerializationFailure, errors.UniqueViolation):
                # A unique violation here is a race that the action's own look-up lost: on the next attempt
                # it sees the winner's row and answers properly.
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _transact(self, act: Callable[[Tx], Awaitable[T]]) -> T:
        async with self._connection() as connection, connection.pipeline() as pipeline:
            tx = Tx(connection, self.clock.now(), pipeline, self.listeners)
            result = await act(tx)
            # Only who opened the transaction may end it, so ending is no public verb of a Tx.
            told = await tx._finish()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        for touched in self.on_touch if tx.touched else ():
            touched(tx.touched)
        for counted in self.on_count if tx.counted else ():
            counted(tx.counted)
        for listener in self.on_commit if told else ():
            listener(told)
        return result

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Tx]:
        """Several statements that see one snapshot, and may not write."""
        async with self._connection() as connection, connection.pipeline() as pipeline:
            await connection.execute("begin isolation level repeatable read, read only")
            yield Tx(connection, self.clock.now(), pipeline)
            await connection.rollback()

    @asynccontextmanager
    async def statement(self) -> AsyncGenerator[Tx]:
        """Single statements, each its own transaction, committed at once."""
        async with self._connection() as connection:
            await connection.set_autocommit(True)
            try:
                yield Tx(connection, self.clock.now())
            finally:
                if not connection.closed:
                    await connection.set_autocommit(False)

    async def listen(self, channel: LiteralString) -> AsyncGenerator[str]:
        """What is notified on the channel, over a connection of its own; first `""`, once it is listening.

        Raises Unavailable when the connection breaks.
        """
        async with away_is_unavailable():
            connection = await psycopg.AsyncConnection.connect(
                self._dsn, autocommit=True, options="-c TimeZone=UTC", connect_timeout=5
            )
            async with connection:
                await connection.execute(f"listen {channel}")
                yield ""
                async for notice in connection.notifies():
                    yield notice.payload
            raise Unavailable

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Connection]:
        if self.away:
            raise Unavailable
        async with away_is_unavailable(), self._pool.connection() as connection:
            yield connection


def _answers(dsn: str) -> bool:
    """Whether the database takes a new connection; in a thread, since a cancelled connect would leak."""
    try:
        with psycopg.connect(dsn, connect_timeout=2) as connection:
            connection.execute("select 1")
    except psycopg.Error:
        return False
    return True


@asynccontextmanager
async def away_is_unavailable() -> AsyncGenerator[None]:
    """Turn every way in which a database can be away into `Unavailable`."""
    try:
        yield
    except (PoolTimeout, psycopg.InterfaceError) as error:
        raise Unavailable from error
    except psycopg.OperationalError as error:
        if error.sqlstate is None or error.sqlstate.startswith(_AWAY):
            raise Unavailable from error
        raise


async def _configure(connection: Connection) -> None:
    connection.cursor_factory = psycopg.AsyncRawCursor
    connection.adapters.register_loader("timestamptz", _InstantLoader)
    set_json_loads(msgspec.json.decode, connection)
    set_json_dumps(json.encode, connection)
