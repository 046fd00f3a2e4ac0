"""Thousands of WebSockets read by one loop, in a process of their own: the same client for every server.

Invariant: it reads in large pieces and counts a marker that stands once in every message; it parses nothing,
so that it is the server that is measured. What it sends is masked with zeros, which leaves the text as it is.
"""

import gc
import multiprocessing
import resource
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from typing import Any

_BUFFER_BYTES = 512 * 1024
_PATIENCE_SECONDS = 60.0
_ALIVE_SECONDS = 15.0
_REST_SECONDS = 0.1
_ENDS = (ord("}"), ord("]"))  # a message's last byte; what ends otherwise was cut by TCP


@dataclass(frozen=True)
class Door:
    """How listeners get in: one path for each, what each says when it is in, and how it knows that it hears.

    `ready` are marks that must all have been heard, each at least as often as told.
    """

    port: int
    paths: Sequence[str]
    says: Sequence[Sequence[str]]  # for each listener, in this order
    ready: Sequence[tuple[bytes, int]] = ()
    alive: bytes = b"\x8a\x80\0\0\0\0"  # the sign of life that servers want now and then: a pong


@dataclass(frozen=True)
class Publishers:
    """Connections that events come from: HTTP with keep-alive, or a WebSocket of the same door."""

    port: int
    count: int = 1
    path: str | None = None  # of a WebSocket; None is HTTP
    says: Sequence[str] = ()
    ready: bytes = b""


@dataclass
class Heard:
    """What came of a round: seconds until the last listener had everything, and of each delivery."""

    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    took_last: list[float] = field(default_factory=list)


def text_frame(text: str) -> bytes:
    """A message as a client sends it."""
    data = text.encode()
    size = len(data)
    head = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return b"\x81" + head + bytes(4) + data


def upgrade(port: int, path: str) -> bytes:
    """The request that opens a WebSocket."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def allow_many_files() -> None:
    """As many open files as this user may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Listeners:
    """Sockets of one server, from getting in until hanging up."""

    def __init__(self, door: Door, marker: bytes) -> None:
        self._door = door
        self._marker = marker
        self._poll = select.epoll()
        self._buffer = bytearray(_BUFFER_BYTES)
        self._sockets: list[socket.socket] = []
        self._by_fd: dict[int, tuple[Callable[[Any], int], int]] = {}
        self._publishers: list[socket.socket] = []
        self._speaking: list[socket.socket] = []  # publishers that hold a WebSocket, too
        self._publisher_fds: dict[int, socket.socket] = {}
        self._showed_life_at = time.monotonic()
        self.counts: list[int] = []
        self.heard: list[bytearray] = []  # while getting in

    def get_in(self, *, at_once: int = 128) -> float:
        """Open every socket, `at_once` under way together; seconds until the last one is ready."""
        door, total = self._door, len(self._door.paths)
        self.heard = [bytearray() for _ in range(total)]
        self.counts = [0] * total
        stages = [0] * total
        fds: dict[int, int] = {}
        began = time.perf_counter()
        until = began + _PATIENCE_SECONDS
        ready = under_way = 0
        while ready < total:
            while len(self._sockets) < total and under_way < at_once:
                one = socket.socket()
                one.settimeout(0)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                one.connect_ex(("127.0.0.1", door.port))
                self._poll.register(one.fileno(), select.EPOLLOUT)
                fds[one.fileno()] = len(self._sockets)
                self._sockets.append(one)
                under_way += 1
            assert time.perf_counter() < until, (
                f"{total - ready} of {total} are not in; {self._excuse(stages)}"
            )
            for fd, event in self._poll.poll(1.0):
                place = fds[fd]
                if stages[place] == 0:
                    assert not event & select.EPOLLERR, "nobody answers the door"
                    self._sockets[place].send(upgrade(door.port, door.paths[place]))
                    self._poll.modify(fd, select.EPOLLIN)
                    stages[place] = 1
                    continue
                self._hear_while_getting_in(place)
                heard = self.heard[place]
                if stages[place] == 1 and (end := heard.find(b"\r\n\r\n")) >= 0:
                    assert heard.startswith(b"HTTP/1.1 101"), bytes(heard[:300])
                    del heard[: end + 4]
                    for text in door.says[place] if door.says else ():
                        self._sockets[place].send(text_frame(text))
                    stages[place] = 2
                if stages[place] == 2 and all(heard.count(mark) >= often for mark, often in door.ready):
                    stages[place] = 3
                    ready += 1
                    under_way -= 1
        seconds = time.perf_counter() - began
        self._by_fd = {one.fileno(): (one.recv_into, place) for place, one in enumerate(self._sockets)}
        return seconds

    def _hear_while_getting_in(self, place: int) -> None:
        size = self._sockets[place].recv_into(self._buffer)
        assert size, f"hung up: {bytes(self.heard[place][-300:])}"
        self.heard[place] += self._buffer[:size]

    def _excuse(self, stages: list[int]) -> str:
        place = next(place for place, stage in enumerate(stages) if stage < 3)
        return f"one is at stage {stages[place]} and heard {bytes(self.heard[place][-300:])}"

    def bring(self, publishers: Publishers) -> None:
        """Open the connections that events come from."""
        for _ in range(publishers.count):
            one = socket.create_connection(("127.0.0.1", publishers.port))
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if publishers.path is not None:
                self._speaking.append(one)
                one.sendall(upgrade(publishers.port, publishers.path))
                got = one.recv(4096)
                assert got.startswith(b"HTTP/1.1 101"), got
                for text in publishers.says:
                    one.sendall(text_frame(text))
                while publishers.ready not in got:
                    got += one.recv(4096)
            self._publishers.append(one)
            self._publisher_fds[one.fileno()] = one
            self._poll.register(one.fileno(), select.EPOLLIN)

    def round(self, published: Sequence[bytes], events_each: int, *, one_at_a_time: bool) -> Heard:
        """Send what makes events, each by the next publisher; until every listener has heard all of them."""
        gc.disable()
        heard = Heard()
        began = time.perf_counter()
        if one_at_a_time:
            for number, data in enumerate(published):
                asked_at = time.perf_counter()
                self._publishers[number % len(self._publishers)].sendall(data)
                self._hear(events_each, lambda now, asked_at=asked_at: heard.took.append(now - asked_at))
                heard.took_last.append(time.perf_counter() - asked_at)
        else:
            for number, data in enumerate(published):
                self._publishers[number % len(self._publishers)].sendall(data)
            self._hear(events_each * len(published))
        heard.seconds = time.perf_counter() - began
        gc.enable()
        self.rest(_REST_SECONDS)
        self.show_life_in_time()
        assert not any(self.counts), f"heard too often: {sum(map(bool, self.counts))} listeners"
        return heard

    def rest(self, seconds: float) -> None:
        """Read what still comes."""
        until = time.perf_counter() + seconds
        while True:
            left = until - time.perf_counter()
            for fd, _ in self._poll.poll(max(0, left)):
                if fd in self._by_fd:
                    self._read(fd)
                else:
                    self._read_answers(fd)
            if left <= 0:
                return

    def show_life_in_time(self) -> None:
        """Let no server take anybody for dead; give it the time to read that."""
        if time.monotonic() < self._showed_life_at + _ALIVE_SECONDS:
            return
        self._showed_life_at = time.monotonic()
        for one in self._sockets + self._speaking:
            one.send(self._door.alive)
        self.rest(5 * _REST_SECONDS)

    def hang_up(self) -> None:
        """Break every connection off, as a lost network does."""
        for one in self._sockets + self._publishers:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            one.close()
        self._poll.close()

    def _hear(self, messages: int, note: Callable[[float], None] | None = None) -> None:
        """Read until everybody has heard that many more."""
        counts, buffer, marker, by_fd = self.counts, self._buffer, self._marker, self._by_fd
        count, clock, poll = buffer.count, time.perf_counter, self._poll.poll
        left = len(self._sockets)
        for place in range(left):
            counts[place] -= messages
        tails: dict[int, bytes] = {}
        until = clock() + _PATIENCE_SECONDS
        while left:
            events = poll(1.0, 1024)
            assert clock() < until, f"{left} listeners wait in vain"
            for fd, _ in events:
                known = by_fd.get(fd)
                if known is None:
                    self._read_answers(fd)
                    continue
                recv_into, place = known
                size = recv_into(buffer)
                assert size, "the server hung up"
                found = count(marker, 0, size)
                if tails and fd in tails:
                    found += (tails.pop(fd) + buffer[: min(size, len(marker) - 1)]).count(marker)
                if buffer[size - 1] not in _ENDS:
                    tails[fd] = bytes(buffer[max(0, size - len(marker) + 1) : size])
                if found:
                    before = counts[place]
                    counts[place] = after = before + found
                    if before < 0 <= after:
                        left -= 1
                        if note is not None:
                            note(clock())

    def _read(self, fd: int) -> None:
        recv_into, place = self._by_fd[fd]
        size = recv_into(self._buffer)
        assert size, "the server hung up"
        self.counts[place] += self._buffer.count(self._marker, 0, size)

    def _read_answers(self, fd: int) -> None:
        got = self._publisher_fds[fd].recv(65536)
        assert got, "the server hung up on a publisher"
        assert b"HTTP/1.1 4" not in got, got[:2000]
        assert b"HTTP/1.1 5" not in got, got[:2000]


class Crowd:
    """Listeners in a process of their own, led from here."""

    def __init__(self, process: Any, pipe: Pipe) -> None:
        self._process = process
        self._pipe = pipe

    def round(
        self, published: Sequence[bytes], events_each: int = 1, *, one_at_a_time: bool = False
    ) -> Heard:
        """See Listeners.round."""
        self._pipe.send((list(published), events_each, one_at_a_time))
        return _received(self._pipe)


@contextmanager
def crowd(door: Door, publishers: Publishers, marker: bytes) -> Iterator[Crowd]:
    """Everybody is in when the block begins, and hangs up when it ends."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_lead, args=(there, door, publishers, marker), daemon=True)
    process.start()
    try:
        _received(here)
        yield Crowd(process, here)
    finally:
        here.close()
        process.join(10)
        process.kill()


def _received(pipe: Pipe) -> Any:
    answer, failure = pipe.recv()
    if failure:
        raise RuntimeError(failure)
    return answer


def _lead(pipe: Pipe, door: Door, publishers: Publishers, marker: bytes) -> None:
    allow_many_files()
    listeners = Listeners(door, marker)
    try:
        pipe.send((listeners.get_in(), None))
        listeners.bring(publishers)
        listeners.rest(1.0)
        listeners.counts = [0] * len(listeners.counts)
        while True:
            while not pipe.poll(0.02):
                listeners.rest(0)
                listeners.show_life_in_time()
            published, events_each, one_at_a_time = pipe.recv()
            pipe.send((listeners.round(published, events_each, one_at_a_time=one_at_a_time), None))
    except EOFError:
        pass
    except Exception as error:  # noqa: BLE001 (told to the one who leads)
        pipe.send((None, f"{door.paths[0].partition('?')[0]}: {type(error).__name__}: {error}"))
    finally:
        listeners.hang_up()


@contextmanager
def listening(door: Door, marker: bytes) -> Iterator[Listeners]:
    """Everybody is in, and what comes is read by a thread of this process, while the block lasts."""
    allow_many_files()
    listeners = Listeners(door, marker)
    listeners.get_in()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            listeners.rest(0.05)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield listeners
    finally:
        done.set()
        reader.join()
        listeners.hang_up()
