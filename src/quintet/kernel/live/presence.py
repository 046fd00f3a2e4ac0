"""Presence: who is connected, and who is in which room, on all nodes together.

Invariant: a node writes down who is connected to it and tells its members what the database says of all
nodes; so a row that vanishes with its dead node is told like one that was removed.
"""

import asyncio
from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec

from quintet.kernel import json
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Clock
from quintet.kernel.database import Database, Tx
from quintet.kernel.live import presence_queries
from quintet.kernel.live.hub import Hub
from quintet.kernel.live.messages import frame, presence_text
from quintet.kernel.live.presence_queries import Present
from quintet.kernel.live.room import Room
from quintet.kernel.live.wakeups import Wakeups

if TYPE_CHECKING:
    from quintet.kernel.live.connection import Connection

MOST_CONNECTIONS: Final = 20  # per user
ANYWHERE: Final = ""  # the room that stands for being connected at all
PAUSE_SECONDS: Final = 0.05  # between two rounds, so that many changes are told together


class Listed(msgspec.Struct):
    """Who is told to be in a room: the first 200 of them, and how many there are."""

    present: dict[UUID, Present]
    total: int

    def people(self, but: AbstractSet[UUID]) -> list[dict[str, Any]]:
        """As clients see them, without those who are hidden from the one who asks."""
        return [
            {"user_id": one.user_id, "status": one.status} | ({} if one.mode is None else {"mode": one.mode})
            for one in self.present.values()
            if one.user_id not in but
        ]


class Presence:
    """Who is there, as this node knows and tells it."""

    def __init__(self, database: Database, clock: Clock, hub: Hub, wakeups: Wakeups) -> None:
        self._database = database
        self._clock = clock
        self._hub = hub
        self._wakeups = wakeups
        self._connections: dict[UUID, set[Connection]] = {}
        self._said: dict[tuple[Connection, str], tuple[str, str | None]] = {}
        self._changed: set[tuple[str, UUID]] = set()  # of this node, not written down yet
        self._rooms: set[str] = set()  # whose list may have changed somewhere
        self._listed: dict[str, Listed] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._arriving: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._writing = asyncio.Lock()
        self._reads = asyncio.Lock()
        self._wake = asyncio.Event()
        self.on_change: list[Callable[[Collection[UUID]], None]] = []  # who came, went or said how they are
        wakeups.on_listening.append(self.look_everywhere)

    async def admit(self, connection: "Connection", user_id: UserId) -> bool:
        """Count the connection among its user's; False where there are twenty already, on all nodes."""
        if self._wakeups.is_alone:
            return self._count_in(connection, user_id, 0)

        async def act(tx: Tx) -> bool:
            self._count_out(connection, user_id)  # of an attempt that the database did not take
            elsewhere = await presence_queries.lock_connections(tx, user_id, self._wakeups.node_id)
            if not self._count_in(connection, user_id, elsewhere):
                return False
            rows = json.encode([self._row(ANYWHERE, user_id)]).decode()
            await presence_queries.write(tx, self._wakeups.node_id, rows, self._clock.now())
            return True

        # One of a user's arrivals at a time uses the database; no older count of them is written after it.
        arrival = self._arriving.setdefault(user_id, asyncio.Lock())
        async with arrival:
            async with self._writing:
                pass
            try:
                return await self._database.transact(act)
            except BaseException:  # cancelled, too: a place that nobody takes is given back
                self._count_out(connection, user_id)
                self._changed.add((ANYWHERE, user_id))
                self._wake.set()
                raise

    @property
    def users_here(self) -> int:
        """How many users are connected to this node."""
        return len(self._connections)

    async def listed(self, room: Room) -> Listed:
        """Who is in the room, as its members on this node were told."""
        if not self._shows(room.name):
            return Listed({}, 0)
        while room.name not in self._listed:
            task = self._reading.get(room.name)
            if task is None:
                task = self._reading[room.name] = asyncio.create_task(self._read([room.name]))
                task.add_done_callback(lambda done: self._has_read(room.name, done))
            await asyncio.shield(task)
        return self._listed[room.name]

    def listed_now(self, room: Room) -> Listed:
        """The same of a room that was listed already and is held since."""
        return self._listed[room.name] if self._shows(room.name) else Listed({}, 0)

    def connected(self, connection: "Connection") -> None:
        """Somebody has signed in."""
        self._change(ANYWHERE, connection)

    def joined(self, connection: "Connection", room: str) -> None:
        """A connection hears the room from now on."""
        self._change(room, connection)

    def left(self, connection: "Connection", room: str) -> None:
        """A connection has left the room."""
        self._said.pop((connection, room), None)
        self._change(room, connection)

    def set(self, connection: "Connection", room: str | None, status: str, mode: str | None) -> None:
        """A connection says how its user is there: in one room, or in all."""
        if room is None:
            self._said[connection, ANYWHERE] = status, mode
            for one in (ANYWHERE, *connection.rooms):
                self._change(one, connection)
        else:
            self._said[connection, room] = status, mode
            self._change(room, connection)

    def connection_lost(self, connection: "Connection", rooms: list[str]) -> None:
        """A connection has gone, and with it its place in `rooms`."""
        if connection.actor is None:
            return
        user_id = _user(connection)
        self._count_out(connection, user_id)
        for room in (ANYWHERE, *rooms):
            self.left(connection, room)

    def look_at(self, rooms: list[str]) -> None:
        """Another node says that these rooms' lists have changed."""
        self._rooms.update(room for room in rooms if self._is_told(room))
        if self._rooms:
            self._wake.set()

    def look_everywhere(self) -> None:
        """What other nodes said may not have been heard for a while."""
        self.look_at(list(self._listed))

    def write_all(self) -> None:
        """Write down everything anew: the database has lost it."""
        for user_id, connections in self._connections.items():
            self._changed.add((ANYWHERE, user_id))
            self._changed.update((room, user_id) for one in connections for room in one.rooms)
        self._wake.set()

    async def keep_telling(self) -> None:
        """Write down what changed here, and tell what changed anywhere; for as long as the server runs."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.write()
            except BaseException:  # cancelled, too: the last round, at the stop, writes what is left
                self._wake.set()
                raise
            await asyncio.sleep(PAUSE_SECONDS)

    async def write(self) -> None:
        """Write down what changed here, and tell the rooms concerned."""
        later = {one for one in self._changed if one[0] == ANYWHERE and one[1] in self._arriving}
        changed, self._changed = self._changed - later, later
        rooms, self._rooms = self._rooms, set()
        try:
            if changed:
                async with self._writing, self._database.statement() as tx:
                    text = json.encode([self._row(room, user_id) for room, user_id in changed]).decode()
                    await presence_queries.write(tx, self._wakeups.node_id, text, self._clock.now())
                anywhere = {user_id for room, user_id in changed if room == ANYWHERE}
                for listener in self.on_change if anywhere else ():
                    listener(anywhere)
                touched = {room for room, _ in changed if self._shows(room)}
                self._wakeups.tell_presence(touched)
                rooms |= {room for room in touched if self._is_told(room)}
            for room in [name for name in self._listed if not self._is_heard(name)]:
                del self._listed[room]
            reading = [self._reading[room] for room in rooms if room in self._reading]
            await asyncio.gather(*reading, return_exceptions=True)  # they may have looked just before
            heard = [room for room in rooms if room in self._listed]
            if heard:
                await self._read(heard)
        except BaseException:  # cancelled, too: what was not written down must not be forgotten
            self._changed |= changed
            self._rooms |= rooms
            raise
        if later:
            self._wake.set()

    async def _read(self, rooms: list[str]) -> None:
        """Read who is in the rooms, and tell their members what is not as they were told."""
        async with self._reads, self._database.statement() as tx:  # one by one: the latest look counts
            rows = await presence_queries.present(tx, rooms)
        found = {room: Listed({}, 0) for room in rooms}
        for one in rows:
            found[one.room].present[one.user_id] = one
            found[one.room].total = one.total
        now = self._clock.now()
        for room, listed in found.items():
            before = self._listed.get(room)
            self._listed[room] = listed
            if before is not None:
                self._tell(room, before, listed, now)

    def _tell(self, room: str, before: Listed, after: Listed, now: Any) -> None:
        heard = self._hub.rooms.get(room)
        if heard is None:
            return
        for user_id, one in after.present.items():
            was = before.present.get(user_id)
            if was is None or (was.status, was.mode) != (one.status, one.mode):
                heard.say(frame(presence_text(room, user_id, one.status, one.mode, now)), user_id)
        for user_id in before.present.keys() - after.present.keys():
            heard.say(frame(presence_text(room, user_id, "offline", None, now)), user_id)

    def _change(self, room: str, connection: "Connection") -> None:
        if room == ANYWHERE or self._shows(room):
            self._changed.add((room, _user(connection)))
            self._wake.set()

    def _row(self, room: str, user_id: UUID) -> dict[str, Any]:
        """A user's row as it is to be: no connections means none."""
        here = [one for one in self._connections.get(user_id, ()) if room == ANYWHERE or room in one.rooms]
        said = [self._said.get((one, room)) or self._said.get((one, ANYWHERE)) for one in here]
        status = "in_studio" if any(one and one[0] == "in_studio" for one in said) else "online"
        mode = next((one[1] for one in said if one and one[1] is not None), None)
        return {"room": room, "user_id": user_id, "status": status, "mode": mode, "connections": len(here)}

    def _shows(self, room: str) -> bool:
        kind = self._hub.kind_of(room)
        return kind is not None and kind.shows_presence

    def _count_in(self, connection: "Connection", user_id: UUID, elsewhere: int) -> bool:
        here = self._connections.get(user_id, set())
        if elsewhere + len(here) >= MOST_CONNECTIONS:
            return False
        self._connections[user_id] = here | {connection}
        return True

    def _count_out(self, connection: "Connection", user_id: UUID) -> None:
        left = self._connections.get(user_id, set()) - {connection}
        if left:
            self._connections[user_id] = left
        else:
            self._connections.pop(user_id, None)

    def _is_told(self, room: str) -> bool:
        return room in self._listed or room in self._reading

    def _has_read(self, room: str, done: asyncio.Task[None]) -> None:
        self._reading.pop(room, None)
        if not done.cancelled():
            done.exception()  # told to whoever waits; nobody may be left

    def _is_heard(self, room: str) -> bool:
        heard = self._hub.rooms.get(room)
        return heard is not None and bool(heard.members or heard.holders)


def _user(connection: "Connection") -> UUID:
    if connection.actor is None:
        raise AssertionError("who is not signed in is nowhere")
    return connection.actor.id
