"""Lists are imported while server and database are killed with -9: each row is ranked once, in its order."""

import asyncio
import os
import random
import signal
from typing import Any

import httpx2
import pytest
from tests.load.test_kill_ledger import signed_up
from tests.process import ServerProcess, look_at, server_process
from tests.waiting import look_again_soon

PEOPLE = 4
ROWS = 1500
KILLS = 5
RATINGS = ("0.5", "1.5", "2.5", "3.5", "4.5")


def ratings(person: int) -> str:
    """A list as Letterboxd exports it; half of its films are on everybody's."""
    films = [f"Film {n}" if n % 2 else f"Film {n} of {person}" for n in range(ROWS)]
    rows = [f"2024-01-01,{film},2001,x,{RATINGS[n % 5]}" for n, film in enumerate(films)]
    return "Date,Name,Year,Letterboxd URI,Rating\n" + "\n".join(rows) + "\n"


async def told(http: httpx2.AsyncClient, token: str, path: str) -> dict[str, Any]:
    """What the server says of an import, as soon as it says anything."""
    async with asyncio.timeout(60):
        while True:
            try:
                answer = await http.get(path, headers={"Authorization": f"Bearer {token}"})
            except httpx2.HTTPError:
                answer = None
            if answer is not None and answer.status_code == 200:
                return answer.json()
            await asyncio.to_thread(look_again_soon, 0.05)


async def progress(http: httpx2.AsyncClient, imports: dict[str, str]) -> list[dict[str, Any]]:
    return [await told(http, token, path) for token, path in imports.items()]


async def kill(server: ServerProcess, chance: random.Random) -> None:
    if chance.random() < 0.4:
        os.kill(server.postmaster_pid(), signal.SIGKILL)
        return
    await asyncio.to_thread(server.kill)
    server.start()


@pytest.mark.soak
@pytest.mark.timeout(240)
async def test_lists_are_imported_whoever_dies() -> None:
    chance = random.Random(11)
    with server_process() as server:
        async with httpx2.AsyncClient(base_url=server.url, timeout=10) as http:
            imports: dict[str, str] = {}
            for person in range(PEOPLE):
                token = await signed_up(http, f"importer{person}")
                answer = await http.post(
                    "/rankings/import",
                    headers={"Authorization": f"Bearer {token}"},
                    files={"file": ("ratings.csv", ratings(person).encode())},
                )
                assert answer.status_code == 202, answer.text
                imports[token] = answer.headers["location"]
            for number in range(KILLS):
                goal = PEOPLE * ROWS * (number + 1) // (KILLS + 1)
                while sum(one["done"] for one in await progress(http, imports)) < goal:
                    await asyncio.to_thread(look_again_soon, 0.02)
                await kill(server, chance)
            async with asyncio.timeout(120):
                while any(one["status"] != "done" for one in await progress(http, imports)):
                    await asyncio.to_thread(look_again_soon, 0.05)
            ended = await progress(http, imports)
            lists = await asyncio.to_thread(lists_of, server)
    for one in ended:
        assert (one["total"], one["done"], one["skipped_total"]) == (ROWS, ROWS, 0)
        assert one["matched"] + one["created"] == ROWS
    assert len(lists) == PEOPLE
    for titles in lists.values():
        assert len(titles) == ROWS
        for tier, wanted in zip("DCBAS", range(5), strict=True):
            numbers = [int(title.split()[1]) for of_tier, title in titles if of_tier == tier]
            assert numbers == list(range(wanted, ROWS, 5)), "in the order of the file, none twice"
    print(f"{PEOPLE} lists of {ROWS} rows through {KILLS} kills: each row ranked once, in the file's order")


def lists_of(server: ServerProcess) -> dict[Any, list[tuple[str, str]]]:
    """Everybody's tiers and titles, best first; and that the counters agree with them."""
    lists: dict[Any, list[tuple[str, str]]] = {}
    with look_at(server) as database:
        rows: Any = database.execute(
            "select r.user_id, r.tier, w.title from marquee.user_rankings r"
            " join catalogue.works w on w.id = r.media_id order by r.user_id, r.tier, r.position_key"
        ).fetchall()
        assert (
            database.execute(
                "select user_id, tier, titles from marquee.tiers where titles > 0"
                " except select user_id, tier, count(*)::integer from marquee.user_rankings group by 1, 2"
            ).fetchall()
            == []
        )
        counted = database.execute("select sum(rankings)::integer from marquee.media_counts").fetchone()
        assert counted == (PEOPLE * ROWS,)
    for user_id, tier, title in rows:
        lists.setdefault(user_id, []).append((tier, title))
    return lists
