"""A Call: one HTTP request with all that a route needs to answer it.

Invariant: bodies are read once, within the size and the time allowed, and decoded strictly.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Request
from litestar.datastructures import State

from quintet.kernel import json
from quintet.kernel.actor import Access, Actor, Authenticate
from quintet.kernel.cache import HotAnswer, HotAnswers
from quintet.kernel.clock import Clock
from quintet.kernel.cursors import read_cursor, write_cursor
from quintet.kernel.database import Database, Tx
from quintet.kernel.files.keeping import Files
from quintet.kernel.http.answer import Answer, names_tag
from quintet.kernel.idempotency import Idempotency, KeptAnswer
from quintet.kernel.limits import Allowance, Limits
from quintet.kernel.live.counts import Counts
from quintet.kernel.live.hub import Hub
from quintet.kernel.live.presence import Presence
from quintet.kernel.live.wakeups import Wakeups
from quintet.kernel.refusals import (
    NotSignedIn,
    Refusal,
    RequestTimeout,
    StaleVersion,
    TooLarge,
    UnsupportedMediaType,
)
from quintet.kernel.secrets import Secrets
from quintet.kernel.telemetry import Metrics
from quintet.kernel.tokens import Tokens
from quintet.settings import Settings

T = TypeVar("T")


class Kernel(msgspec.Struct):
    """The mechanisms of one running server, built once in `app.py`."""

    settings: Settings
    clock: Clock
    database: Database
    secrets: Secrets
    tokens: Tokens
    limits: Limits
    idempotency: Idempotency
    hot: HotAnswers
    metrics: Metrics
    epoch: str
    authenticate: Authenticate
    hub: Hub
    wakeups: Wakeups
    presence: Presence
    hidden_from: Callable[[Tx, UUID], Awaitable[frozenset[UUID]]]
    counts: Counts
    files: Files
    draining: bool = False
    commands: dict[str, Callable[[Any, Actor, dict[str, Any]], Awaitable[None]]] = {}  # of sockets, by type
    overhears: list[Callable[[Tx, UUID], Awaitable[list[str]]]] = []  # rooms heard without having asked
    of_parts: dict[type, Any] = {}  # what parts keep in this process, by its type


class Rules(msgspec.Struct, frozen=True):
    """What a route declares of itself."""

    access: Access = Access.PUBLIC
    limits: tuple[str, ...] = ()
    refusals: tuple[type[Refusal], ...] = ()
    limited: bool = True
    reads_token: bool = True
    idempotent: bool = True
    secret: bool = False
    streams: bool = False
    most_bytes: int = 1024 * 1024
    example: Any = None
    takes_form: Any = None  # for a body that the handler reads itself: its type as a form (a Struct) …
    takes_json: Any = None  # … and as JSON
    answers: tuple[str, ...] = ()  # kinds of content, of answers that are no JSON


class CallState(msgspec.Struct):
    """What the edge knows of the request before any route is found."""

    request_id: str
    address: str
    actor: Actor | None = None
    allowances: list[Allowance] = []
    is_head: bool = False  # the routes see HEAD as GET


class Call(Request[Any, Any, State]):
    """One request."""

    @property
    def kernel(self) -> Kernel:
        """The mechanisms."""
        return self.scope["app"].state.kernel

    @property
    def call_state(self) -> CallState:
        """What the edge knows of this request."""
        return self.scope["quintet"]  # pyright: ignore[reportGeneralTypeIssues]

    @property
    def rules(self) -> Rules:
        """What this request's route declares."""
        return self.route_handler.opt["rules"]

    @property
    def viewer(self) -> Actor | None:
        """The signed-in caller, where there is one."""
        return self.call_state.actor

    @property
    def actor(self) -> Actor:
        """The signed-in caller; raises NotSignedIn."""
        if self.call_state.actor is None:
            raise NotSignedIn
        return self.call_state.actor

    async def body(self) -> bytes:
        """The whole body; raises TooLarge, or RequestTimeout when it trickles in too slowly."""
        if not isinstance(self._body, bytes):
            try:
                async with asyncio.timeout(self.kernel.settings.request_deadline_seconds):
                    self._body = b"".join([chunk async for chunk in self._chunks()])
            except TimeoutError as error:
                raise RequestTimeout from error
        return self._body

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes, for those too large to be read whole; raises TooLarge or RequestTimeout.

        All of it has the deadline of uploads, each piece that of small bodies.
        """
        settings, loop = self.kernel.settings, asyncio.get_running_loop()
        end = loop.time() + settings.upload_deadline_seconds
        chunks = self._chunks()
        while True:
            try:
                async with asyncio.timeout_at(min(end, loop.time() + settings.request_deadline_seconds)):
                    piece = await anext(chunks, None)
            except TimeoutError as error:
                raise RequestTimeout from error
            if piece is None:
                return
            if piece:
                yield piece

    async def _chunks(self) -> AsyncIterator[bytes]:
        most = self.rules.most_bytes
        announced = self.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > most:
            raise TooLarge(f"at most {most} bytes")
        taken = 0
        while True:
            message: Any = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            taken += len(message.get("body", b""))
            if taken > most:
                raise TooLarge(f"at most {most} bytes")
            yield message.get("body", b"")
            if not message.get("more_body", False):
                return

    @property
    def media_type(self) -> str:
        """What kind of body the caller says this is, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def json(self) -> Any:
        """The body as the type that the route's `data` names."""
        field: Any = self.route_handler.parsed_data_field
        return await self.json_as(field.annotation)

    async def json_as(self, wanted: type[T]) -> T:
        """The body as a `wanted`; raises UnsupportedMediaType where it is not JSON."""
        self.check_json()
        return json.decode(await self.body(), wanted)

    def check_json(self) -> None:
        """Raise UnsupportedMediaType where the caller does not say that the body is JSON."""
        kind = self.media_type
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            raise UnsupportedMediaType("send application/json")

    async def write(
        self, act: Callable[[Tx], Awaitable[Answer[T]]], *, content: bytes | None = None
    ) -> Answer[T]:
        """Run `act` in one transaction, once per Idempotency-Key, and answer after the commit.

        `content` stands for a body that was taken in pieces: what must be the same when it is sent again.
        """
        key = self.headers.get("idempotency-key")
        viewer = self.viewer

        async def act_as_viewer(tx: Tx) -> Answer[T]:
            tx.author_id, tx.cause = viewer and viewer.id, key
            return await act(tx)

        if key is None or viewer is None or not self.rules.idempotent:
            return await self.kernel.database.transact(act_as_viewer)

        async def act_and_keep(tx: Tx) -> KeptAnswer:
            answer = await act_as_viewer(tx)
            status = answer.status_code or self.route_handler.status_code
            return KeptAnswer(status, answer.body, answer.location, answer.etag)

        scope = (str(viewer.id), self.method, self.scope["path_template"])
        kept, repeated = await self.kernel.idempotency.once(
            scope,
            key,
            (
                self.scope["path"],
                self.scope["query_string"],
                await self.body() if content is None else content,
            ),
            act_and_keep,
        )
        replayed = {"Idempotent-Replayed": "true"} if repeated else {}
        answer: Answer[Any] = Answer(
            kept.body or None,
            status=kept.status,
            location=kept.location,
            etag=kept.etag,
            headers=replayed,
            secret=self.rules.secret,
        )
        return answer

    def read(self) -> AbstractAsyncContextManager[Tx]:
        """One snapshot for several statements."""
        return self.kernel.database.reading()

    async def hot(self, room: str, key: str, read: Callable[[], Awaitable[HotAnswer]]) -> Answer[Any]:
        """An answer served from memory under the room's seq, with `Room-Seq` of its snapshot."""
        return self.answer_hot(await self.kernel.hot.get(room, key, read))

    def answer_hot(self, hot: HotAnswer) -> Answer[Any]:
        """An answer out of memory, with `Room-Seq` of its snapshot."""
        return Answer(
            hot.body, etag=hot.etag, headers={"Room-Seq": self.room_seq(hot.seq)}, max_age_seconds=1
        )

    def room_seq(self, seq: int) -> str:
        """The value of the `Room-Seq` header."""
        return f"{self.kernel.epoch}:{seq}"

    def read_cursor(self, cursor: str | None, *filters: object) -> list[Any] | None:
        """The sort key to go on behind, or None at the beginning; raises InvalidCursor."""
        if cursor is None:
            return None
        return read_cursor(self.kernel.secrets, self._listing(filters), cursor, self.kernel.clock.now())

    def next_cursor(self, place: list[Any] | None, *filters: object) -> str | None:
        """The cursor behind `place`, or None at the end."""
        if place is None:
            return None
        return write_cursor(self.kernel.secrets, self._listing(filters), place, self.kernel.clock.now())

    def _listing(self, filters: tuple[object, ...]) -> str:
        return repr((self.scope["path"], filters))

    def check_version(self, version: int) -> None:
        """Raise StaleVersion when the caller's If-Match names another version."""
        asked = self.headers.get("if-match")
        if asked is None:
            return
        # Tags of computed reads go on behind the version: `"7.812.3"` is version 7.
        versions = ",".join(re.sub(r'"(\d+)\..*"', r'"\1"', one.strip()) for one in asked.split(","))
        if not names_tag(versions, str(version)):
            raise StaleVersion


class ClientGone(Exception):
    """The client hung up while it was still sending; nobody is left to answer."""
