"""The leaderboard: the best titles and the busiest people, exact after every write."""

import asyncio
import itertools
import random
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from tests.apps.marquee.ranking import films, move, rank
from tests.apps.marquee.slow_board import check_counters, slow_board, told_board
from tests.waiting import look_again
from tests.world import Person, World, code_of

from quintet.apps.marquee.leaderboard.counting import remove_old_days


async def board(caller: Person | World, query: str = "") -> list[dict[str, Any]]:
    answer = await caller.get(f"/social/leaderboard?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_what_a_place_tells(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    genre = f"noir {uuid4()}"
    heat, ronin = films(world, 2, genres=[genre])
    first = await rank(ada, heat, "S")
    await rank(ben, heat, "D")
    await rank(ben, ronin, "B")
    assert await board(world, f"genre={genre.upper()}") == [
        {"media": (await board(ada, f"genre={genre}"))[0]["media"], "score": (65 + 7.5) / 11, "count": 1},
        {"media": first["media"], "score": (65 + 9.5 + 3) / 12, "count": 2},
    ]
    people = await board(ada, f"of=users&genre={genre}")
    assert [(place["user"]["username"], place["score"], place["count"]) for place in people] == [
        (ben.username, 2, 2), (ada.username, 1, 1),
    ]  # fmt: skip


async def test_who_may_ask_for_what(world: World) -> None:
    ada = await world.person("ada")
    for of in ("media", "users"):
        path = f"/social/leaderboard?of={of}&scope=following"
        assert code_of(await world.get(path)) == (401, "not_signed_in")
        assert (await ada.get(path)).json() == {
            "items": [], "next_cursor": None, "prior": {"m": 10.0, "c": 6.5},
        }  # fmt: skip
        assert (await world.get(f"/social/leaderboard?of={of}")).status_code == 200
    for wrong in ("of=teams", "scope=me", "period=year", "media_type=film", "limit=0", f"genre={'x' * 61}"):
        assert code_of(await world.get(f"/social/leaderboard?{wrong}")) == (422, "invalid_request"), wrong
    assert code_of(await world.get("/social/leaderboard?cursor=x")) == (400, "invalid_cursor")


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_board_is_the_slow_obvious_one(world: World, seed: int) -> None:
    """Random histories of several people at once; then every board, by everybody, against a slow count."""
    chance = random.Random(seed)
    people = [await world.person("ranker") for _ in range(4)]
    genre = f"genre {uuid4()}"
    titles = films(world, 5, genres=[genre]) + films(world, 3, kind="play", genres=[genre, "Drama"])
    statuses: set[int] = set()

    async def act(person: Person) -> int:
        film, other, tier = chance.choice(titles), chance.choice(people), chance.choice("SABCD")
        own = (await person.get("/rankings/me?limit=1000")).json()["items"]
        one = chance.choice(own)["id"] if own else uuid4()
        block = f"/api/v1/users/{other.username}/block"
        method, path, body = chance.choice(
            [
                ("POST", "/rankings", {"media_id": film, "tier": tier}),
                ("POST", "/rankings", {"media_id": film, "tier": tier}),
                ("PATCH", f"/rankings/{one}/move", {"tier": tier}),
                ("DELETE", f"/rankings/{one}", None),
                ("PATCH", "/social/me", {"private": chance.random() < 0.5}),
                ("POST", f"/social/follow/{other.id}", None),
                (chance.choice(("PUT", "DELETE")), block, None),
            ]
        )
        answer = await person.call(method, path, **({} if body is None else {"json": body}))
        return answer.status_code

    async def live(person: Person, steps: int) -> None:
        for _ in range(steps):
            statuses.add(await act(person))

    compared = 0
    for _ in range(2):
        # Two tabs of everybody.
        await asyncio.gather(*(live(person, 6) for person in people * 2))
        for person in people:
            world.sql(
                "update marquee.user_rankings set created_at = created_at - make_interval(days => %s)"
                " where user_id = %s and media_id = any(%s)",
                chance.choice((0, 1, 6, 7, 29, 30)),
                person.id,
                chance.sample(titles, 3),
            )
        check_counters(world)
        for viewer, of, kind, wanted, period, scope in itertools.product(
            (None, *people[:2]), ("media", "users"), (None, "PLAY"), (None, genre), ("all", "week"),
            ("everyone", "following"),
        ):  # fmt: skip
            if viewer is None and scope == "following":
                continue
            asked = {"of": of, "media_type": kind, "genre": wanted, "scope": scope}
            asked["period"] = chance.choice(("week", "month")) if period == "week" else period
            told = await told_board(world, viewer, limit=chance.choice((3, 100)), **asked)
            assert told == slow_board(world, viewer, **asked), asked
            compared += 1
    print(f"{compared} boards after random histories: each is the slow count; answers {sorted(statuses)}")
    assert statuses <= {200, 201, 204, 404, 409, 422}


async def test_private_accounts_count_for_their_followers_only(world: World) -> None:
    ada, ben, cleo = [await world.person(name) for name in ("ada", "ben", "cleo")]
    genre = str(uuid4())
    [heat] = films(world, 1, genres=[genre])
    await ben.post(f"/social/follow/{ada.id}")
    await rank(ada, heat, "S")
    query, users = f"genre={genre}", f"of=users&genre={genre}"
    assert len(await board(cleo, query)) == len(await board(cleo, users)) == 1
    await ada.patch("/social/me", json={"private": True})
    for caller in (world, cleo):
        assert await board(caller, query) == await board(caller, users) == []
    assert await board(ben, query) == [], "the public board is one for all"
    assert len(await board(ben, f"{query}&scope=following")) == 1
    assert len(await board(ben, users)) == len(await board(ada, users)) == 1
    await rank(ada, films(world, 1, genres=[genre])[0], "A")
    await ada.patch("/social/me", json={"private": False})
    assert len(await board(world, query)) == 2
    await ada.put(f"/api/v1/users/{cleo.username}/block")
    assert await board(cleo, users) == []
    assert len(await board(world, users)) == 1


async def test_one_sees_ones_own_rankings_at_once(world: World) -> None:
    """The answer in memory is never older than the last write here, however many write and read."""
    people = [await world.person("racer") for _ in range(6)]
    genre = str(uuid4())

    async def write_and_read(person: Person) -> None:
        for film in films(world, 5, genres=[genre]):
            await rank(person, film, "S")
            assert film in [place["media"]["id"] for place in await board(world, f"genre={genre}&limit=100")]

    await asyncio.gather(*(write_and_read(person) for person in people))


async def test_a_tag_holds_while_nothing_changes(world: World) -> None:
    ada = await world.person("ada")
    genre = str(uuid4())
    path = f"/social/leaderboard?limit=1&genre={genre}"
    await asyncio.gather(*(rank(ada, film) for film in films(world, 2, genres=[genre])))
    hour = world.clock.now().hour
    tag = {"If-None-Match": (await world.get(path)).headers["etag"]}
    world.kernel.hot._answers.clear()
    again = (await world.get(path, headers=tag)).status_code
    assert again == 304 or world.clock.now().hour != hour  # it holds a cursor, and so changes with the hour
    await rank(ada, films(world, 1, genres=[genre])[0], "S")
    assert (await world.get(path, headers=tag)).status_code == 200


async def test_days_that_nobody_asks_for_are_removed(world: World) -> None:
    ada = await world.person("ada")
    kept, old = films(world, 2)
    for film in (kept, old):
        await rank(ada, film)
    aged = (
        "update marquee.user_rankings set created_at = now() - make_interval(days => %s) where media_id = %s"
    )
    world.sql(aged, 39, kept)
    world.sql(aged, 42, old)
    await remove_old_days(world.kernel.database, most=1)
    for table, column, value in (
        ("media_days", "media_id", [kept, old]), ("ranker_days", "user_id", [ada.id]),
    ):  # fmt: skip
        days = world.sql(
            f"select (now() at time zone 'UTC')::date - day from marquee.{table}"
            f" where {column}::text = any(%s) and day < now() - interval '2 days'",
            value,
        )
        assert [day for (day,) in days] == [39]


async def test_moves_inside_a_tier_change_nothing(world: World) -> None:
    ada = await world.person("ada")
    genre = str(uuid4())
    one, *_ = [await rank(ada, film, "A") for film in films(world, 3, genres=[genre])]
    before = await board(world, f"genre={genre}")
    await move(ada, one, rank=3)
    assert await board(world, f"genre={genre}") == before


async def until_somebody_waits(world: World) -> None:
    """Return when a statement waits for a lock."""
    waiting = (
        "select count(*) from pg_stat_activity"
        " where wait_event_type = 'Lock' and datname = current_database()"
    )
    async with asyncio.timeout(10):
        while not world.sql(waiting)[0][0]:
            await look_again()


@pytest.mark.parametrize("is_private", [True, False])
async def test_a_ranking_and_a_change_of_privacy_see_each_other(world: World, is_private: bool) -> None:
    """Whichever comes first, held open before its commit: the other one waits, and counts what is then."""
    ada = await world.person("ada")
    titles = films(world, 3)
    await rank(ada, titles[0])
    change = {"private": is_private}
    await ada.patch("/social/me", json={"private": not is_private})
    with psycopg.connect(world.dsn) as held:
        held.execute(
            "insert into marquee.user_rankings"
            " values (gen_random_uuid(), %s, %s, 'S', 'z1', 9.1, null, now(), now())",
            [ada.id, titles[1]],
        )
        closing = asyncio.create_task(ada.patch("/social/me", json=change))
        await until_somebody_waits(world)
        held.commit()
        assert (await closing).json()["private"] is is_private
        check_counters(world)
        held.execute(
            "update social.profiles set is_private = %s where user_id = %s", [not is_private, ada.id]
        )
        held.execute("select marquee.set_private(%s, %s)", [ada.id, not is_private])
        ranking = asyncio.create_task(rank(ada, titles[2], "D"))
        await until_somebody_waits(world)
        held.commit()
        await ranking
    check_counters(world)


async def test_an_account_that_goes_is_counted_out(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    titles = films(world, 3)
    for person in (ada, ben):
        for film in titles:
            await rank(person, film)
    await ben.patch("/social/me", json={"private": True})
    world.sql("delete from accounts.users where id = any(%s)", [ada.id, ben.id])
    check_counters(world)
    assert await told_board(world, None) == slow_board(world, None)


async def test_many_rankings_in_one_statement_are_counted(world: World) -> None:
    people = [await world.person("importer") for _ in range(2)]
    titles = films(world, 30)
    for person in people:
        world.sql(
            "insert into marquee.user_rankings select gen_random_uuid(), %s, id, 'B', 'a' || id, 7.5, null,"
            " now(), now() from unnest(%s::text[]) as w(id)",
            person.id,
            titles,
        )
    check_counters(world)
    world.sql("update marquee.user_rankings set tier = 'C' where media_id = any(%s)", titles)
    check_counters(world)
    world.sql("delete from marquee.user_rankings where media_id = any(%s)", titles[:20])
    check_counters(world)


async def test_other_constants_after_a_recount(world: World) -> None:
    ada = await world.person("ada")
    genre = str(uuid4())
    await rank(ada, films(world, 1, genres=[genre])[0], "S")
    world.sql("update marquee.prior set m = 1, c = 5")
    try:
        world.sql("select marquee.recount_rankings()")
        assert world.sql(
            "select score from marquee.media_counts join catalogue.works on id = media_id where genres = %s",
            [genre],
        ) == [((5 + 9.5) / 2,)]
    finally:
        world.sql("update marquee.prior set m = 10, c = 6.5")
        world.sql("select marquee.recount_rankings()")
