"""A document, its writers and the network between, in one place and without sockets or a database.

What is real here: judging, bridges, seats, the voice and its frames, and rooms. What is modelled: the store
(a list of changes that commits happen to, whole or not at all), the nodes' learning of each other's changes,
and the network, which delays, loses with the connection, and delivers in order.
"""

import json
import random
from collections import deque
from typing import Any
from uuid import UUID, uuid5

from tests.domains.documents.clients import ExtendedClient, Message, PlainClient

from quintet.domains.documents.commands import Operating, _deleted, _note_form, _operation
from quintet.domains.documents.copies import Answered, Copy, SessionKey
from quintet.domains.documents.judging import Repeated, Submission, judge
from quintet.domains.documents.model import Change, ResyncRequired, room_of
from quintet.domains.documents.ot import apply
from quintet.domains.documents.rendering import repeated_ack
from quintet.domains.documents.seats import peer_of
from quintet.domains.documents.voice import DocumentVoice, mark_anew
from quintet.kernel.clock import Instant
from quintet.kernel.live.connection import MOST_PINGS, Connection
from quintet.kernel.live.log import Place
from quintet.kernel.live.messages import Subscription, as_command, error_text, frame, told
from quintet.kernel.live.room import Chunk, Room
from quintet.kernel.refusals import Refusal, Unavailable

DOCUMENT, EPOCH = "note:simulated:text", "e"
NAMES = UUID(int=7)
NOW = Instant(2026, 1, 1)
Client = ExtendedClient | PlainClient


class Line(Connection):
    """A connection whose wire is two queues."""

    def __init__(self, node: "Node", client: Client) -> None:  # pyright: ignore[reportMissingSuperCall]
        self.node = node
        self.client = client
        self.of_parts = {}
        self._pings = deque(maxlen=MOST_PINGS)
        self._pings_sent = 0
        self.down: deque[bytes] = deque()  # frames on their way to the client
        self.up: deque[Message | bytes] = deque()  # messages and pongs on their way to the server
        self.waiting: tuple[Submission, Any] | None = None
        self.held: deque[Message | bytes] = deque()

    def put(self, frames: bytes) -> None:
        at = 0
        while at < len(frames):
            size, head = frames[at + 1], 2
            if size == 126:
                size, head = int.from_bytes(frames[at + 2 : at + 4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(frames[at + 2 : at + 10], "big"), 10
            self.down.append(frames[at : at + 1] + frames[at + head : at + head + size])
            at += head + size

    def hear(self, room: Room, chunk: Chunk) -> None:
        self.put(self.node.voice.frames(self, room, chunk))


class Node:
    """One process that serves the document."""

    def __init__(self, store: "Store", number: int) -> None:
        self.store = store
        self.number = number
        self.voice = DocumentVoice()
        self.room = Room(room_of(DOCUMENT), voice=self.voice)
        self.room.begin(Place(EPOCH, 0))
        self.copy: Copy | None = None
        self.lines: list[Line] = []

    def connect(self, client: Client, *, goes_on: bool) -> Line:
        line = Line(self, client)
        unit = client.unit if isinstance(client, ExtendedClient) else None
        asked = Subscription(self.room.name, client.rev, EPOCH, unit) if goes_on else None
        self.catch_up()
        self.room.flush()
        self.voice.begins(line, self.room, asked)
        if asked is not None:
            missed = [self.voice.tell(change) for change in self.store.changes[client.rev :]]
            if missed:
                line.hear(self.room, Chunk([*missed]))
        self.room.members[line] = None
        if asked is not None:
            line.put(frame(told("subscribed", room=self.room.name)) + self.voice.joined(line, self.room))
        self.lines.append(line)
        return line

    def drop(self, line: Line) -> None:
        self.room.members.pop(line)
        self.voice.left(line, self.room)
        self.lines.remove(line)

    def catch_up(self) -> None:
        """Hear what other nodes have committed."""
        for change in self.store.changes[self.room.delivered :]:
            self.room.take(change)
        self.room.flush()

    def receive(self, line: Line, message: Message | bytes) -> None:
        """As the inbox does: one at a time, pongs in their place."""
        if line.waiting is not None:
            line.held.append(message)
        elif isinstance(message, bytes):
            line.take_pong(message)
        else:
            self.submit(line, message)

    def submit(self, line: Line, message: Message) -> None:
        asked = as_command(message, Operating)
        seat = peer_of(line).seats[self.room.name]
        unit = asked.unit or seat.unit
        _note_form(seat, asked)
        line.waiting = (
            Submission(
                op_id=self.store.new_id(), user_id=NAMES, id=asked.id, op=_operation(asked, unit), unit=unit,
                deleted=_deleted(asked), base_rev=asked.base_rev, epoch=asked.epoch, session=asked.session,
                session_seq=asked.session_seq or 0, client_id=1, client_timestamp=1, seat=seat,
            ),
            asked.id,
        )  # fmt: skip

    def commit(self, chance: random.Random) -> int:  # noqa: C901 (a transaction, with all that can become of it)
        """One transaction for all that waits here; how many were committed."""
        group = [line for line in self.lines if line.waiting is not None]
        chance.shuffle(group)
        if not group:
            return 0
        if chance.random() < 0.1:
            self.copy = None  # it was quiet for a while
        copy = self.open([line.waiting[0] for line in group if line.waiting])
        outcomes: list[tuple[Line, Change | Repeated | Refusal]] = []
        for line in group:
            assert line.waiting is not None
            try:
                outcomes.append((line, judge(copy, line.waiting[0], NOW)))
            except Refusal as refusal:
                outcomes.append((line, refusal))
        fails = all(isinstance(line.client, ExtendedClient) for line in group) and chance.random() < 0.08
        is_lost, is_unknown = fails and chance.random() < 0.5, fails
        changes = [one for _, one in outcomes if isinstance(one, Change)]
        if not is_lost:
            self.store.changes += changes
            self.store.sessions |= copy.sessions
            self.store.text = copy.text
            self.store.check()
        if is_unknown:
            self.copy = None
            for line, _ in outcomes:
                if line.waiting is not None:
                    line.waiting[0].seat.awaited.pop(line.waiting[0].op_id, None)
                    self.answer(line, Unavailable())
            return 0
        self.copy = copy
        copy.forget()
        for change in changes:
            self.room.take(change)
        for line, outcome in outcomes:
            assert line.waiting is not None
            if isinstance(outcome, Change):
                line.waiting[0].seat.settle(line.waiting[0].op_id)
            self.answer(line, outcome)
        if chance.random() < 0.7:
            self.room.flush()
        return len(changes)

    def open(self, submissions: list[Submission]) -> Copy:
        changes = self.store.changes
        if self.copy is None:
            at = changes[-1].stored.server_timestamp if changes else 0
            copy = Copy(DOCUMENT, EPOCH, len(changes), self.store.text, at)
        else:
            copy = self.copy.branch()
            for change in changes[copy.rev :]:
                copy.take(change)
        lowest = min(one.oldest_rev for one in submissions)
        if lowest < copy.first_rev:
            copy.remember(changes[lowest : copy.first_rev])
        copy.writers = {NAMES}
        copy.sessions = dict(self.store.sessions)
        return copy

    def answer(self, line: Line, outcome: Change | Repeated | Refusal) -> None:
        assert line.waiting is not None
        submission, id_ = line.waiting
        line.waiting = None
        if isinstance(outcome, Refusal):
            line.put(frame(error_text(outcome, id_)))
            if isinstance(outcome, ResyncRequired):
                line.put(mark_anew(line, self.room, submission.seat))
        elif isinstance(outcome, Repeated):
            while self.room.delivered < outcome.change.seq:
                self.catch_up()
            self.room.flush()
            line.put(frame(repeated_ack(outcome.change, submission.seat.unit, id_)))
        while line.held and line.waiting is None:
            self.receive(line, line.held.popleft())


class Store:
    """What is committed."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.sessions: dict[SessionKey, Answered] = {}
        self.text = ""
        self._ids = 0

    def new_id(self) -> UUID:
        self._ids += 1
        return uuid5(NAMES, str(self._ids))

    def check(self) -> None:
        assert [change.seq for change in self.changes] == list(range(1, len(self.changes) + 1))


class Simulation:
    """Some clients, one or two nodes, and chance."""

    def __init__(self, seed: int, *, plain: int, extended: int, utf16: int, nodes: int) -> None:
        self.chance = random.Random(seed)
        self.store = Store()
        self.nodes = [Node(self.store, number) for number in range(nodes)]
        self.clients: list[Client] = [PlainClient(f"p{n}", DOCUMENT) for n in range(plain)]
        self.clients += [ExtendedClient(f"e{n}", DOCUMENT) for n in range(extended)]
        self.clients += [ExtendedClient(f"u{n}", DOCUMENT, "utf16") for n in range(utf16)]
        self.lines: dict[str, Line] = {}
        self.drops = 0
        for client in self.clients:
            self.connect(client)

    def connect(self, client: Client) -> None:
        node = self.chance.choice(self.nodes)
        if isinstance(client, PlainClient) and self.drops:
            node.catch_up()
            client.start(self.text_at(node.room.delivered), node.room.delivered, EPOCH)
        client.epoch = EPOCH
        goes_on = not isinstance(client, PlainClient) or self.chance.random() < 0.5
        self.lines[client.name] = node.connect(client, goes_on=goes_on)
        if isinstance(client, ExtendedClient):
            client.out.clear()
            client.send_again()

    def text_at(self, rev: int) -> str:
        text = ""
        for change in self.store.changes[:rev]:
            text = apply(text, change.stored.op)
        return text

    def drop(self, client: Client) -> None:
        """The connection breaks: what was on its way is lost, from some point on."""
        line = self.lines.pop(client.name)
        while line.up and self.chance.random() < 0.5:  # some of it got through
            line.node.receive(line, line.up.popleft())
        if line.waiting is not None and self.chance.random() < 0.5:
            line.node.commit(self.chance)  # written, and nobody is there to hear of it
        line.node.drop(line)
        client.out.clear()
        self.drops += 1

    def step(self, *, edits: bool) -> bool:  # noqa: C901 (one branch for each thing that can happen)
        """Let something happen; False where nothing could."""
        chance = self.chance
        client = chance.choice(self.clients)
        line = self.lines[client.name]
        roll = chance.random()
        if edits and roll < 0.3:
            client.edit(chance)
        elif edits and roll < 0.31:
            self.drop(client)
            self.connect(client)
        elif roll < 0.5:
            while client.out and (not edits or chance.random() < 0.7):
                message = client.out.pop(0)
                line.up.append(message)
                if isinstance(client, ExtendedClient) and chance.random() < 0.1:
                    line.up.append(message)  # impatient
        elif roll < 0.65:
            while line.up and (not edits or chance.random() < 0.7):
                line.node.receive(line, line.up.popleft())
        elif roll < 0.75:
            chance.choice(self.nodes).commit(chance)
        elif roll < 0.8:
            chance.choice(self.nodes).catch_up()
        else:
            while line.down and (not edits or chance.random() < 0.8):
                self.deliver(line)
        return True

    def deliver(self, line: Line) -> None:
        data = line.down.popleft()
        if isinstance(line.client, PlainClient):  # it sends at once, so before what it hears next
            line.up += line.client.out
            line.client.out.clear()
        if data[0] == 0x89:
            line.up.append(data[1:])
            return
        message = json.loads(data[1:])
        line.client.hear(message)
        if line.down and line.down[0][0] == 0x89:  # a ping comes along with its message
            line.up.append(line.down.popleft()[1:])
        if message["type"] == "error" and isinstance(line.client, ExtendedClient):
            line.client.send_again()

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.step(edits=True)
        for _ in range(200_000):
            self.step(edits=False)
            if self.is_settled():
                break
        else:
            raise AssertionError("it never comes to rest")
        self.check()

    def is_settled(self) -> bool:
        for node in self.nodes:
            node.catch_up()
        return all(client.is_quiet and not client.out for client in self.clients) and not any(
            line.up or line.down or line.waiting or line.held for line in self.lines.values()
        )

    def check(self) -> None:
        text = self.text_at(len(self.store.changes))
        assert text == self.store.text
        for client in self.clients:
            assert client.rev == len(self.store.changes)
            expected = client.local(text) if isinstance(client, ExtendedClient) else text
            assert client.text == expected, (client.name, client.text, expected)
            for rev, op_id in client.acknowledged.items():
                assert str(self.store.changes[rev - 1].stored.op_id) == op_id, (
                    "an acknowledged change is gone"
                )
