"""The world tests play in: people who call the server through its front door."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
from argon2 import PasswordHasher

from quintet.domains.accounts.passwords import Passwords
from quintet.kernel.http.call import Kernel
from tests.clock import Stopwatch

PASSWORD = "correct horse battery staple"
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
_numbers = itertools.count(1)


@dataclass
class Person:
    """Somebody with an account, signed in."""

    world: "World"
    id: str
    username: str
    email: str
    access_token: str
    refresh_token: str
    password: str = PASSWORD

    async def call(self, method: str, path: str, **request: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.access_token}", **request.pop("headers", {})}
        return await self.world.http.request(method, path, headers=headers, **request)

    async def get(self, path: str, **request: Any) -> httpx2.Response:
        return await self.call("GET", path, **request)

    async def post(self, path: str, **request: Any) -> httpx2.Response:
        return await self.call("POST", path, **request)

    async def patch(self, path: str, **request: Any) -> httpx2.Response:
        return await self.call("PATCH", path, **request)

    async def put(self, path: str, **request: Any) -> httpx2.Response:
        return await self.call("PUT", path, **request)

    async def delete(self, path: str, **request: Any) -> httpx2.Response:
        return await self.call("DELETE", path, **request)


@dataclass
class World:
    """A running server and the ways into it."""

    http: httpx2.AsyncClient
    kernel: Kernel
    clock: Stopwatch
    dsn: str
    edge: Any = None
    port: int = 0
    aside: psycopg.Connection[Any] | None = None  # past the server, into its database
    signing_up: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, path: str, **request: Any) -> httpx2.Response:
        """Call as a stranger who is not signed in."""
        return await self.http.get(path, **request)

    async def post(self, path: str, **request: Any) -> httpx2.Response:
        return await self.http.post(path, **request)

    async def person(self, name: str = "ada", *, role: str = "user") -> Person:
        """A new person; each call makes another one, so that tests keep apart."""
        username = f"{name}-{next(_numbers)}-{uuid4().hex[:6]}"
        email = f"{username}@example.com"
        async with self.quick_passwords():
            answer = await self.http.post(
                "/auth/signup", json={"email": email, "password": PASSWORD, "username": username}
            )
        assert answer.status_code == 201, answer.text
        body = answer.json()
        if role != "user":
            self.sql("update accounts.users set role = %s where id = %s", role, body["user"]["id"])
        return Person(self, body["user"]["id"], username, email, body["access_token"], body["refresh_token"])

    @asynccontextmanager
    async def quick_passwords(self) -> AsyncGenerator[None]:
        """People are made by the thousand; what a password costs is looked at where it is the subject."""
        kernel: Any = self.kernel
        if kernel is None:  # the server is another process
            yield
            return
        accounts = kernel.authenticate
        async with self.signing_up:
            costly, accounts.passwords = accounts.passwords, QUICK
            try:
                yield
            finally:
                accounts.passwords = costly

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look at (or bend) the database directly, where no front door shows or does it."""
        if self.aside is None or self.aside.closed:
            self.aside = psycopg.connect(self.dsn, autocommit=True)
        cursor = self.aside.execute(statement, values)
        # `select from …` has rows without columns: they count, too.
        has_rows = cursor.description or (cursor.statusmessage or "").startswith("SELECT")
        return cursor.fetchall() if has_rows else []


async def new_title(person: Person, **given: Any) -> str:
    """A fresh title; its id."""
    body = {"title": "Heat", "kind": "film", "total_length_seconds": 10200, **given}
    answer = await person.post("/api/titles", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def empty_catalogue(world: World) -> None:
    """No works, and no lists of them; not by truncating, which would pass the triggers by that count."""
    world.sql("delete from marquee.user_rankings")
    world.sql("update marquee.tiers set titles = 0")
    world.sql("delete from catalogue.works")


async def mark(person: Person, title_id: str, pct: float, **given: Any) -> dict[str, Any]:
    """Place a mark; the answer's body."""
    answer = await person.post(f"/api/titles/{title_id}/wiggs", json={"position_pct": pct, **given})
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]
