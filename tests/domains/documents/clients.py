"""Front ends of a document, as state machines: what they hold, say and hear, without any network.

One with the extended form (an operation in flight, the rest in a buffer), and one like the plugin, which
sends the plain form at once and moves what it hears over what it has sent.
"""

import random
from typing import Any

from quintet.domains.documents import rules
from quintet.domains.documents.ot import (
    Operation,
    Unit,
    apply,
    compose,
    from_plain,
    parse_ops,
    to_json,
    transform,
)

Message = dict[str, Any]
LETTERS = "abc\u00e9\u4e2d\U0001f3b5\n "


def random_step(chance: random.Random, text: str, unit: Unit, most: int = 4) -> Operation:
    """One insertion or deletion that fits the text."""
    at = cut(chance, text, unit)
    if text and chance.random() < 0.45:
        end = next(
            place
            for place in range(min(len(text), at + chance.randint(1, most)), len(text) + 1)
            if whole(text, place)
        )
        if end > at:
            return (at, at - end) if at else (at - end,)
    new = "".join(chance.choice(LETTERS) for _ in range(chance.randint(1, most)))
    new = rules.wide(new) if unit == "utf16" else new
    return (at, new) if at else (new,)


def whole(text: str, place: int) -> bool:
    """Whether no surrogate pair is torn there."""
    return not (0 < place < len(text) and "\udc00" <= text[place] <= "\udfff")


def cut(chance: random.Random, text: str, unit: Unit) -> int:
    """A place in the text."""
    at = chance.randint(0, len(text))
    return at if unit == "codepoint" or whole(text, at) else at - 1


class ExtendedClient:
    """One that names what it has seen, numbers what it sends, and sends again what was not acknowledged."""

    def __init__(self, name: str, document: str, unit: Unit = "codepoint") -> None:
        self.name = name
        self.document = document
        self.unit: Unit = unit
        self.text = ""
        self.rev = 0
        self.epoch: str | None = None
        self.out: list[Message] = []
        self.sent: tuple[Operation, int] | None = None  # as it was sent, and the rev it was made on
        self.pending: Operation = ()
        self.buffer: Operation | None = None
        self.seq = 1
        self.acknowledged: dict[int, str] = {}

    @property
    def is_quiet(self) -> bool:
        return self.sent is None

    def start(self, text: str, rev: int, epoch: str) -> None:
        """What was read over HTTP."""
        self.text, self.rev, self.epoch = self.local(text), rev, epoch

    def local(self, text: str) -> str:
        return rules.wide(text) if self.unit == "utf16" else text

    def edit(self, chance: random.Random) -> None:
        op = random_step(chance, self.text, self.unit)
        if chance.random() < 0.3:
            op = compose(op, random_step(chance, apply(self.text, op), self.unit))
        self.text = apply(self.text, op)
        if self.sent is None:
            self.send(op)
        else:
            self.buffer = op if self.buffer is None else compose(self.buffer, op)

    def send(self, op: Operation) -> None:
        self.sent, self.pending = (op, self.rev), op
        self.send_again()

    def send_again(self) -> None:
        """What is in flight, once more."""
        if self.sent is not None:
            op, base = self.sent
            ops = to_json(rules.narrowed(op) if self.unit == "utf16" else op)
            self.out.append(
                {
                    "type": "operation", "id": self.seq, "document_id": self.document, "ops": ops,
                    "base_rev": base,
                    "session": self.name, "session_seq": self.seq, "unit": self.unit, "epoch": self.epoch,
                    "operation": {"client_id": self.name, "timestamp": 1},
                }
            )  # fmt: skip

    def hear(self, message: Message) -> None:
        match message["type"]:
            case "operation" | "operation_ack":
                self.take(message)
            case "error":
                assert message["code"] in {"unavailable", "resync_required"}, message

    def take(self, message: Message) -> None:
        rev = message["rev"]
        if rev <= self.rev:
            return  # a rev is applied once
        assert rev == self.rev + 1, f"{self.name} was told {rev} after {self.rev}"
        assert message["unit"] == self.unit
        op = parse_ops(message["ops"])
        op = rules.widened(op) if self.unit == "utf16" else op
        self.rev = rev
        if (message["session"], message["session_seq"]) == (self.name, self.seq) and self.sent is not None:
            assert op == self.pending, "the ack says what was expected"
            self.acknowledged[rev] = message["op_id"]
            self.sent, self.pending, self.seq = None, (), self.seq + 1
            if self.buffer is not None:
                op, self.buffer = self.buffer, None
                self.send(op)
            return
        if self.sent is not None:
            op, self.pending = (
                transform(op, self.pending, later=False),
                transform(self.pending, op, later=True),
            )
        if self.buffer is not None:
            op, self.buffer = transform(op, self.buffer, later=False), transform(self.buffer, op, later=True)
        self.text = apply(self.text, op)


class PlainClient:
    """Like the plugin: says neither what it has seen nor which number this is, and waits for no ack."""

    unit: Unit = "codepoint"

    def __init__(self, name: str, document: str) -> None:
        self.name = name
        self.document = document
        self.text = ""
        self.rev = 0
        self.epoch: str | None = None
        self.out: list[Message] = []
        self.unacknowledged: list[Operation] = []
        self.acknowledged: dict[int, str] = {}
        self.must_read = False  # the text anew, over HTTP
        self.taking = 0  # the rev whose parts are coming in

    @property
    def is_quiet(self) -> bool:
        return not self.unacknowledged and not self.must_read

    def start(self, text: str, rev: int, epoch: str) -> None:
        self.text, self.rev, self.epoch = text, rev, epoch
        self.unacknowledged.clear()
        self.must_read = False
        self.taking = 0

    def edit(self, chance: random.Random) -> None:
        op = random_step(chance, self.text, self.unit)
        position, part = op if len(op) == 2 else (0, op[0])
        assert isinstance(position, int)
        kind = "Insert" if isinstance(part, str) else "Delete"
        content = part if isinstance(part, str) else self.text[position : position - part]
        said = {"type": kind, "client_id": 1, "timestamp": 1, "position": position}
        said |= (
            {"length": len(content)} if kind == "Delete" and chance.random() < 0.2 else {"content": content}
        )
        self.text = apply(self.text, op)
        self.unacknowledged.append(op)
        self.out.append({"type": "operation", "id": 1, "document_id": self.document, "operation": said})

    def hear(self, message: Message) -> None:
        match message["type"]:
            case "operation":
                self.take(message)
            case "operation_ack":
                op = self.unacknowledged.pop(0)
                assert parse_ops(message["ops"]) == op, (message, op)
                assert message["rev"] == self.rev + 1
                self.rev = message["rev"]
                self.acknowledged[self.rev] = message["op_id"]
            case "error":
                raise AssertionError(message)
            case "reset":
                self.must_read = True

    def take(self, message: Message) -> None:
        part = message.get("part", 1)
        if part == 1:
            if message["rev"] <= self.rev:
                return
            assert message["rev"] == self.rev + 1, f"{self.name} was told {message['rev']} after {self.rev}"
            self.rev = self.taking = message["rev"]
        elif message["rev"] != self.taking:
            return
        said = message["transformed_operation"]
        op = from_plain(said["type"], said["position"], said.get("content"), said.get("length"))
        op = rules.without_end(op)
        if said["type"] == "Delete" and "content" in said and not self.unacknowledged:
            assert rules.removed_by(op, self.text) == said["content"]
        for place, own in enumerate(self.unacknowledged):
            op, self.unacknowledged[place] = (
                transform(op, own, later=False),
                transform(own, op, later=True),
            )
        self.text = apply(self.text, op)
