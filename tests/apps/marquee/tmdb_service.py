"""TMDB on loopback, as it is on its good days and on its bad ones: a real HTTP server that counts its calls.

What it answers to `/search/movie` and `/movie/{id}` has the shapes of TMDB's v3: null posters, empty dates,
genres by number in searches and by name in details, twenty films a page.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import msgspec
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.world import World

TOKEN = "eyJhbGciOiJIUzI1NiJ9.tmdb.v4-token"
V3_KEY = "0123456789abcdef0123456789abcdef"
PAGE = 20
GENRES = {18: "Drama", 80: "Crime", 53: "Thriller"}
STALL = "stall"


class Film(msgspec.Struct):
    """A film as this TMDB knows it."""

    id: int
    title: str
    date: str = ""
    original: str = ""
    poster: str | None = None
    overview: str = ""
    popularity: float = 1.0
    genre_ids: list[int] = []
    directors: list[str] = []
    others: list[str] = []
    runtime: int = 0
    adult: bool = False


class Asked(msgspec.Struct):
    """A question as it came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    at: float


class Trouble(msgspec.Struct):
    """What is answered in the place of a proper answer."""

    status: int = 200
    headers: dict[str, str] = {}
    body: bytes = b""


class TmdbService:
    """The service; what a test tells it to do is undone by `begin_anew`."""

    def __init__(self) -> None:
        self._server: Any = None
        self._stalled: set[asyncio.Task[Any]] = set()
        self._released = asyncio.Event()
        self.begin_anew()

    def begin_anew(self) -> None:
        """Well again, knowing no film, having heard no question."""
        self.films: dict[int, Film] = {}
        self.finds: Callable[[Film, str], bool] = lambda film, query: query in film.title.casefold()
        self.asked: list[Asked] = []
        self.troubles: deque[Trouble | str] = deque()
        self.always: Trouble | str | None = None
        self.release()

    def release(self) -> None:
        """Answer what was stalled; what comes later stalls anew."""
        self._released.set()
        self._released = asyncio.Event()

    def know(self, *films: Film) -> None:
        self.films |= {film.id: film for film in films}

    @property
    def calls(self) -> int:
        return len(self.asked)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/3"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._stalled:
            task.cancel()
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._stalled.add(task)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                target = urlsplit(head[0].split(" ")[1])
                asked = Asked(
                    target.path,
                    {name: values[0] for name, values in parse_qs(target.query).items()},
                    {name.lower(): value for name, _, value in (one.partition(": ") for one in head[1:])},
                    time.monotonic(),
                )
                self.asked.append(asked)
                writer.write(await self._answer(asked))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._stalled.discard(task)
            with suppress(RuntimeError):  # the loop may be gone
                writer.close()

    async def _answer(self, asked: Asked) -> bytes:
        trouble = self.troubles.popleft() if self.troubles else self.always
        if trouble == STALL:
            await self._released.wait()
        if isinstance(trouble, Trouble):
            return _http(trouble.status, trouble.headers, trouble.body)
        key = asked.query.get("api_key")
        if asked.headers.get("authorization") != f"Bearer {TOKEN}" and key != V3_KEY:
            return _problem(401, 7, "Invalid API key: You must be granted a valid key.")
        if asked.path == "/3/search/movie":
            return _json(self._found(asked.query["query"].casefold(), int(asked.query.get("page", "1"))))
        film = self.films.get(int(asked.path.removeprefix("/3/movie/")))
        if film is None:
            return _problem(404, 34, "The resource you requested could not be found.")
        return _json(_details(film, asked.query.get("append_to_response", "").split(",")))

    def _found(self, query: str, page: int) -> dict[str, Any]:
        films = [film for film in self.films.values() if self.finds(film, query)]
        return {
            "page": page,
            "results": [_listed(film) for film in films[(page - 1) * PAGE : page * PAGE]],
            "total_pages": -(-len(films) // PAGE),
            "total_results": len(films),
        }


def _listed(film: Film) -> dict[str, Any]:
    return {
        "adult": film.adult, "backdrop_path": None, "genre_ids": film.genre_ids, "id": film.id,
        "original_language": "en", "original_title": film.original or film.title, "overview": film.overview,
        "popularity": film.popularity, "poster_path": film.poster, "release_date": film.date,
        "title": film.title, "video": False, "vote_average": 7.1, "vote_count": 3,
    }  # fmt: skip


def _details(film: Film, wanted: list[str]) -> dict[str, Any]:
    told = _listed(film)
    del told["genre_ids"]
    told |= {
        "genres": [{"id": number, "name": GENRES[number]} for number in film.genre_ids],
        "runtime": film.runtime, "status": "Released", "imdb_id": None, "belongs_to_collection": None,
        "homepage": "", "tagline": None, "budget": 0, "revenue": 0,
    }  # fmt: skip
    if "credits" in wanted:
        told["credits"] = {
            "cast": [{"name": "Somebody", "character": "Self", "order": 0}],
            "crew": [
                {"name": "Cutter", "job": "Editor", "department": "Editing"},
                *({"name": name, "job": "Director", "department": "Directing"} for name in film.directors),
            ],
        }
    if "alternative_titles" in wanted:
        told["alternative_titles"] = {
            "titles": [{"iso_3166_1": "XX", "title": title, "type": ""} for title in film.others]
        }
    return told


def _json(body: Any, status: int = 200) -> bytes:
    return _http(status, {"content-type": "application/json;charset=utf-8"}, json.dumps(body).encode())


def _problem(status: int, code: int, message: str) -> bytes:
    return _json({"success": False, "status_code": code, "status_message": message}, status)


def _http(status: int, headers: dict[str, str], body: bytes) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def tmdb_world(database: str, token: str = TOKEN) -> AsyncGenerator[tuple[World, TmdbService]]:
    """A server with a database of its own that asks this TMDB."""
    async with TmdbService() as service:
        dsn = clone_database(database)
        settings = settings_for_tests(QUINTET_TMDB_URL=service.url, QUINTET_TMDB_TOKEN=token)
        async with serving(settings, dsn) as world:
            yield world, service
        drop_database(database)


def heal(world: World, service: TmdbService) -> None:
    """Both as if they had never met."""
    service.begin_anew()
    world.sql("delete from catalogue.works")
    world.sql("delete from catalogue.tmdb_answers")
    world.sql("update catalogue.tmdb_breaker set failures = 0, rests_until = null")
