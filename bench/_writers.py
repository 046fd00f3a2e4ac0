"""Writers of one document, each with one operation in flight, and listeners: the same loop for every server.

Invariant: what is sent is made from the newest rev that its writer has heard; what others write is read and
acknowledged, but not parsed, so that it is the server that is measured. At the end everybody has heard
everything, or the run fails.
"""

import gc
import json
import multiprocessing
import random
import select
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from typing import Protocol

from bench._listeners import allow_many_files, text_frame, upgrade

START = 2_000  # characters of the text in the beginning; it grows, and operations are made in its first half
_BUFFER_BYTES = 512 * 1024
_PATIENCE_SECONDS = 30.0
_PING = b"\x89\x08"  # a ping with a number of eight bytes
_PING_BYTES = 10


class Dialect(Protocol):
    """How a server speaks of one document."""

    port: int
    rev: bytes  # what stands before the newest rev, in every operation and every ack
    ahead: int  # how much later the text is than what stands there

    def path(self, place: int) -> str:
        """Where that peer's socket is opened."""
        ...

    def greeting(self) -> Sequence[tuple[str, bytes]]:
        """What is said one after the other in the beginning, each with what must then be heard."""
        ...

    def operation(self, place: int, number: int, base: int, at: int, text: str) -> str:
        """Insert a text, or delete one character where it is empty."""
        ...

    def begins_at(self, heard: bytes) -> int:
        """The text's rev, of a peer that heard this in the beginning."""
        ...

    def ack(self, heard: bytes) -> bytes:
        """What stands in every ack of a peer that heard this in the beginning, and in nothing else."""
        ...


@dataclass
class Written:
    """What came of a run; times are in seconds."""

    per_second: float = 0.0
    acked: int = 0
    rev: int = 0
    took: list[float] = field(default_factory=list)  # from sending an operation to its ack
    delivered_per_second: float = 0.0  # operations heard by somebody else than their author
    deliveries: list[float] = field(default_factory=list)  # from sending to a listener's hand; a sample


class _Peer:
    __slots__ = ("ack", "is_waiting", "number", "place", "rest", "rev", "sent_at", "socket")

    def __init__(self, place: int, port: int) -> None:
        self.place = place
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""
        self.ack = b""
        self.rev = 0
        self.number = 0
        self.is_waiting = False
        self.sent_at = 0.0


class Crew:
    """Whoever writes and listens, in a process of their own, led from here."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def run(self, dialect: Dialect, *, writers: int, listeners: int, seconds: float) -> Written:
        """Write for so long; until everybody has heard everything."""
        self._pipe.send((dialect, writers, listeners, seconds))
        written, failure = self._pipe.recv()
        if failure:
            raise RuntimeError(failure)
        return written


@contextmanager
def crew() -> Iterator[Crew]:
    """A process that writes when it is told to, while the block lasts."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_lead, args=(there,), daemon=True)
    process.start()
    there.close()
    try:
        yield Crew(here)
    finally:
        here.close()
        process.join(10)
        process.kill()


def _lead(pipe: Pipe) -> None:
    allow_many_files()
    while True:
        try:
            dialect, writers, listeners, seconds = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((_Table(dialect, writers, listeners).write(seconds), None))
        except Exception as error:  # noqa: BLE001 (told to the one who leads)
            pipe.send((None, f"{type(error).__name__}: {error}"))
        gc.enable()
        gc.collect()


class _Table:
    """Everybody around one document."""

    def __init__(self, dialect: Dialect, writers: int, listeners: int) -> None:
        self._dialect = dialect
        self._writers = writers
        self._buffer = bytearray(_BUFFER_BYTES)
        self._dice = random.Random(writers)
        self._peers = [self._come_in(place) for place in range(writers + listeners)]
        self._written = Written()
        self._sent_at: dict[int, float] = {}
        self._heard_at: list[tuple[int, float]] = []

    def write(self, seconds: float) -> Written:
        gc.disable()
        poll = select.epoll()
        by_fd = {peer.socket.fileno(): peer for peer in self._peers}
        for fd in by_fd:
            poll.register(fd, select.EPOLLIN)
        clock, written = time.perf_counter, self._written
        began = clock()
        until = began + seconds
        for peer in self._peers[: self._writers]:
            self._send(peer)
        last = 0
        while True:
            for fd, _ in poll.poll(1.0, 1024):
                peer = by_fd[fd]
                if self._hear(peer):
                    now = clock()
                    written.took.append(now - peer.sent_at)
                    written.acked += 1
                    last = max(last, peer.rev)
                    ended = now
                    if now < until:
                        self._send(peer)
            now = clock()
            if now >= until and all(p.rev >= last and not p.is_waiting for p in self._peers):
                break
            assert now < until + _PATIENCE_SECONDS, (
                f"{sum(p.rev < last for p in self._peers)} wait for rev {last}, "
                f"{sum(p.is_waiting for p in self._peers)} for an ack"
            )
        heard_all = clock()
        written.rev = last
        written.per_second = written.acked / (ended - began)
        written.delivered_per_second = written.acked * (len(self._peers) - 1) / (heard_all - began)
        written.deliveries = [at - self._sent_at[rev] for rev, at in self._heard_at if rev in self._sent_at]
        for peer in self._peers:
            peer.socket.close()
        return written

    def _come_in(self, place: int) -> _Peer:
        dialect = self._dialect
        peer = _Peer(place, dialect.port)
        peer.socket.settimeout(_PATIENCE_SECONDS)
        peer.socket.sendall(upgrade(dialect.port, dialect.path(place)))
        heard = b""
        for text, answer in [("", b"\r\n\r\n"), *dialect.greeting()]:
            if text:
                peer.socket.sendall(text_frame(text))
            while answer not in heard:
                got = peer.socket.recv(65536)
                assert got, heard[-500:]
                heard += got
                assert b'"error"' not in heard, heard[-500:]
        peer.ack = dialect.ack(heard)
        peer.rev = dialect.begins_at(heard)
        self._pong(peer, heard)
        return peer

    def _send(self, peer: _Peer) -> None:
        at = self._dice.randrange(START // 2)
        text = "" if self._dice.random() < 0.3 else "y"
        peer.number += 1
        message = self._dialect.operation(peer.place, peer.number, peer.rev, at, text)
        peer.is_waiting = True
        peer.sent_at = time.perf_counter()
        peer.socket.sendall(text_frame(message))

    def _hear(self, peer: _Peer) -> bool:
        """Read what has come; whether an ack was in it."""
        size = peer.socket.recv_into(self._buffer)
        assert size, "the server hung up"
        heard = peer.rest + self._buffer[:size] if peer.rest else bytes(memoryview(self._buffer)[:size])
        if (
            heard[-1] != 0x7D and heard[-_PING_BYTES:-8] != _PING
        ):  # cut by TCP, not ended by a message's brace
            peer.rest = heard
            return False
        peer.rest = b""
        self._pong(peer, heard)
        assert b'"error"' not in heard, heard[-500:]
        peer.rev = max(peer.rev, self._newest(heard))
        if peer.place >= self._writers:
            if self._dice.random() < 0.1:
                self._heard_at.append((peer.rev, time.perf_counter()))
            return False
        if not peer.is_waiting or peer.ack not in heard:
            return False
        peer.is_waiting = False
        at = heard.index(self._dialect.rev, heard.index(peer.ack))
        self._sent_at[number_at(heard, at + len(self._dialect.rev)) + self._dialect.ahead] = peer.sent_at
        return True

    def _newest(self, heard: bytes) -> int:
        at = heard.rfind(self._dialect.rev)
        return 0 if at < 0 else number_at(heard, at + len(self._dialect.rev)) + self._dialect.ahead

    def _pong(self, peer: _Peer, heard: bytes) -> None:
        """Answer the newest ping, which counts for all before it (RFC 6455)."""
        at = heard.rfind(_PING)
        if at >= 0:
            peer.socket.sendall(b"\x8a\x88\0\0\0\0" + heard[at + 2 : at + _PING_BYTES])


def number_at(heard: bytes, at: int) -> int:
    """The number that begins there."""
    end = at
    while heard[end : end + 1].isdigit():
        end += 1
    return int(heard[at:end])


@dataclass
class Quintet:
    """Ours: the extended form over `/ws`; tokens of everybody who comes, writers first."""

    port: int
    document_id: str
    epoch: str
    since: int
    tokens: Sequence[str]
    rev = b'"rev":'
    ahead = 0

    def path(self, place: int) -> str:
        """Everybody is somebody else."""
        return f"/ws?token={self.tokens[place]}"

    def greeting(self) -> Sequence[tuple[str, bytes]]:
        """As the JavaScript client does it."""
        room = {"room": f"document:{self.document_id}", "unit": "utf16"}
        text = json.dumps({"type": "subscribe", "id": 1, **room, "since": self.since, "epoch": self.epoch})
        return [("", b'"event":"connected"'), (text, b'"subscribed"')]

    def operation(self, place: int, number: int, base: int, at: int, text: str) -> str:
        """One message of the extended form."""
        change = f'{{"insert":"{text}"}}' if text else '{"delete":1}'
        ops = f'[{{"retain":{at}}},{change}]' if at else f"[{change}]"
        return (
            f'{{"type":"operation","id":{number},"payload":{{"document_id":"{self.document_id}",'
            f'"operation":{{"client_id":{place},"timestamp":1700000000}},"base_rev":{base},'
            f'"session":"session-{place}","session_seq":{number},"unit":"utf16","epoch":"{self.epoch}",'
            f'"ops":{ops}}}}}'
        )

    def begins_at(self, heard: bytes) -> int:
        """As asked for."""
        _ = heard
        return self.since

    def ack(self, heard: bytes) -> bytes:
        """Only the author hears one."""
        _ = heard
        return b'"type":"operation_ack"'


@dataclass
class ShareDB:
    """ShareDB's protocol, and its text type's operations."""

    port: int
    name: str
    rev = b'"v":'
    ahead = 1  # an operation names the version that it was made on

    def path(self, place: int) -> str:
        """One for all."""
        _ = place
        return "/"

    def greeting(self) -> Sequence[tuple[str, bytes]]:
        """As its client does it."""
        return [
            ('{"a":"hs","id":null,"protocol":1,"protocolMinor":2}', b'"a":"hs"'),
            (f'{{"a":"s","c":"texts","d":"{self.name}"}}', b'"a":"s"'),
        ]

    def operation(self, place: int, number: int, base: int, at: int, text: str) -> str:
        """One message."""
        _ = place
        change = f'"{text}"' if text else '{"d":1}'
        op = f"[{at},{change}]" if at else f"[{change}]"
        return f'{{"a":"op","c":"texts","d":"{self.name}","v":{base},"seq":{number},"x":{{}},"op":{op}}}'

    def begins_at(self, heard: bytes) -> int:
        """The version of the text that came."""
        return number_at(heard, heard.rindex(self.rev) + len(self.rev))

    def ack(self, heard: bytes) -> bytes:
        """It goes to who is named in it, and nobody else hears it."""
        at = heard.index(b'"id":"') + 6
        return b'"src":"' + heard[at : heard.index(b'"', at)] + b'"'
