"""The order of tiers and its scores: thousands of changes against a plain list, and changes at once."""

import asyncio
import random
from collections.abc import Generator
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import tuple_row
from tests.apps.marquee.ranking import BANDS, check_list, films, grown_keys, move, own_list, rank, titles_in
from tests.waiting import look_again
from tests.world import World, code_of

Cursor = psycopg.Cursor[Any]


@pytest.fixture
def sql(dsn: str) -> Generator[Cursor]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection.cursor(row_factory=tuple_row)


def between(
    sql: Cursor, user: str, film: str, tier: str, above: UUID | None, below: UUID | None
) -> tuple[str, UUID, str | None, int | None]:
    """Insert or move by the function itself: outcome, id, former tier, titles rebalanced."""
    sql.execute(
        "select * from marquee.insert_ranking_between(%s, %s, %s, %s, %s)", (user, film, tier, above, below)
    )
    (row,) = sql.fetchall()
    return row


def rows_of(sql: Cursor, user: str) -> list[tuple[str, str, str, float, UUID]]:
    """Tier, title, key, score and id, in the order of tiers and keys."""
    sql.execute(
        "select tier, media_id, position_key, score, r.id from marquee.user_rankings r"
        " join marquee.tier_bands b using (tier) where user_id = %s order by place, position_key",
        (user,),
    )
    return sql.fetchall()


def check_rows(sql: Cursor, user: str, model: dict[str, list[str]]) -> None:
    """Order as in the model, keys short, scores strictly falling within their band, counts right."""
    rows = rows_of(sql, user)
    for tier, titles in model.items():
        of_tier = [row for row in rows if row[0] == tier]
        assert [row[1] for row in of_tier] == titles
        assert all(len(row[2]) <= 48 for row in of_tier)
        lo, hi = BANDS[tier]
        ladder = [hi, *(row[3] for row in of_tier), lo]
        assert all(above - below >= 1e-9 for above, below in pairwise(ladder))
    sql.execute("select tier, titles from marquee.tiers where user_id = %s", (user,))
    counted = dict.fromkeys(model, 0) | dict(sql.fetchall())
    assert counted == {tier: len(titles) for tier, titles in model.items()}


async def test_thousands_of_changes_against_a_plain_list(world: World, sql: Cursor) -> None:
    """Inserts, moves and removals drawn at random, crowded into few places so that gaps run out."""
    user = (await world.person()).id
    titles = films(world, 120)
    ids: dict[str, UUID] = {}
    model: dict[str, list[str]] = {tier: [] for tier in "SABCD"}
    draw = random.Random(4)
    done = dict.fromkeys(("inserted", "moved", "unchanged", "removed", "rebalanced"), 0)
    for number in range(3000):
        title = draw.choice(titles[: 20 + number // 20])
        tier = draw.choice("SSSSAB")
        former = next((one for one, there in model.items() if title in there), None)
        if former is not None and draw.random() < 0.1:
            sql.execute("select tier from marquee.remove_ranking(%s, %s)", (user, ids.pop(title)))
            assert sql.fetchall() == [(former,)]
            model[former].remove(title)
            done["removed"] += 1
            continue
        others = [one for one in model[tier] if one != title]
        # Mostly into the same few gaps: the top, the end, below the second.
        place = draw.choice([0, len(others), min(2, len(others)), draw.randint(0, len(others))])
        above = ids[others[place - 1]] if place else None
        below = ids[others[place]] if place < len(others) else None
        if above is not None and draw.random() < 0.5:
            below = None  # one neighbour says as much as two
        outcome, ids[title], from_tier, rebalanced = between(sql, user, title, tier, above, below)
        expected = [*others[:place], title, *others[place:]]
        assert outcome == (
            "inserted" if former is None else "unchanged" if model[tier] == expected else "moved"
        )
        assert from_tier == former
        if former is not None:
            model[former].remove(title)
        model[tier] = expected
        done[outcome] += 1
        if rebalanced is not None:
            assert rebalanced == len(expected)
            done["rebalanced"] += 1
            of_tier = [row for row in rows_of(sql, user) if row[0] == tier]
            assert [row[2] for row in of_tier] == grown_keys(rebalanced)
            lo, hi = BANDS[tier]
            assert [row[3] for row in of_tier] == [
                hi - (hi - lo) * (i - 0.5) / rebalanced for i in range(1, rebalanced + 1)
            ]
        if number % 25 == 0 or rebalanced is not None:
            check_rows(sql, user, model)
    check_rows(sql, user, model)
    print(f"3,000 changes against a plain list: {done}")
    assert min(done.values()) > 20


async def test_the_same_through_the_front_door(world: World) -> None:
    ada = await world.person()
    titles = films(world, 25)
    rankings: dict[str, dict[str, Any]] = {}
    model: dict[str, list[str]] = {tier: [] for tier in "SABCD"}
    draw = random.Random(5)
    for _ in range(250):
        title, tier = draw.choice(titles), draw.choice("SSSAD")
        former = next((one for one, there in model.items() if title in there), None)
        others = [one for one in model[tier] if one != title]
        at = draw.choice([0, len(others), draw.randint(0, len(others))])
        places: list[dict[str, Any]] = [{"rank": at + 1}]
        if at == len(others):
            places += [{}, {"rank": 10_000}]
        else:
            places += [{"before_id": rankings[others[at]]["id"]}] * 2
        if at > 0:
            places += [{"after_id": rankings[others[at - 1]]["id"]}] * 2
        place = draw.choice(places)
        if former is None:
            rankings[title] = await rank(ada, title, tier, **place)
        else:
            rankings[title] = await move(ada, rankings[title], tier=tier, **place)
            model[former].remove(title)
        model[tier] = [*others[:at], title, *others[at:]]
        assert rankings[title]["rank"] == at + 1
    items = await own_list(ada)
    check_list(items)
    assert {tier: [i["media"]["id"] for i in items if i["tier"] == tier] for tier in "SABCD"} == model


async def test_a_rebalance_changes_nothing_but_keys_and_scores(world: World, sql: Cursor) -> None:
    ada = await world.person()
    titles = films(world, 40)
    for title in titles:
        await rank(ada, title, "S", rank=1)  # always into the same gap: it halves each time
    before = await own_list(ada)
    sql.execute("select marquee.rebalance_tier_positions(%s, 'S')", (ada.id,))
    assert sql.fetchall() == [(40,)]
    after = await own_list(ada)
    check_list(after)
    assert [item["media"]["id"] for item in after] == titles[::-1]
    for one, other in zip(before, after, strict=True):
        moved = {"position_key": other["position_key"], "score": other["score"]}
        assert one | moved == other
    sql.execute("select marquee.rebalance_tier_positions(%s, 'D')", (ada.id,))
    assert sql.fetchall() == [(0,)]  # an empty tier, of which nobody knew


async def test_keys_that_grow_long_are_rebalanced(world: World, sql: Cursor) -> None:
    """Always below the first, whose key has grown already: at 48 characters nothing happens, at 49 all."""
    user = (await world.person()).id
    a, b, *others = films(world, 20)
    first, last = (between(sql, user, film, "D", None, None)[1] for film in (a, b))
    for id_, key in ((first, "a0" + "V" * 44), (last, "a0" + "V" * 44 + "2")):
        sql.execute("update marquee.user_rankings set position_key = %s where id = %s", (key, id_))
    lengths: list[int] = []
    for count, film in enumerate(others, 3):
        rebalanced = between(sql, user, film, "D", first, None)[3]
        lengths.append(max(len(row[2]) for row in rows_of(sql, user)))
        if rebalanced is not None:
            assert rebalanced == count
            break
    assert lengths == [47, 48, 48, 48, 48, 48, 48, 2]
    assert [row[1] for row in rows_of(sql, user)] == [a, *others[:8][::-1], b]


async def test_forty_writers_in_one_gap_all_succeed(world: World) -> None:
    ada = await world.person()
    top, bottom, *others = films(world, 42)
    above, below = await rank(ada, top), await rank(ada, bottom)
    gaps = [{"after_id": above["id"]}, {"before_id": below["id"]}, {"rank": 2}]
    answers = await asyncio.gather(
        *(
            ada.post("/rankings", json={"media_id": film, "tier": "A", **gaps[number % 3]})
            for number, film in enumerate(others)
        )
    )
    assert [answer.status_code for answer in answers] == [201] * 40
    items = await own_list(ada)
    check_list(items)
    assert len(items) == 42
    assert (items[0]["id"], items[-1]["id"]) == (above["id"], below["id"])
    print(f"40 writers in one gap: {len(items) - 2} stand there, keys and scores in order")


async def test_moves_that_cross_at_once(world: World) -> None:
    """The same few titles moved back and forth between tiers by many: nobody waits in a circle."""
    ada = await world.person()
    rankings = [await rank(ada, film, "SABCD"[n % 5]) for n, film in enumerate(films(world, 6))]
    draw = random.Random(6)
    answers = await asyncio.gather(
        *(
            ada.patch(
                f"/rankings/{draw.choice(rankings)['id']}/move",
                json={"tier": draw.choice("SABCD"), **draw.choice([{}, {"rank": 1}, {"rank": 2}])},
            )
            for _ in range(80)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    items = await own_list(ada)
    check_list(items)
    assert {item["id"] for item in items} == {one["id"] for one in rankings}
    counts = world.sql("select sum(titles) from marquee.tiers where user_id = %s", ada.id)
    assert counts == [(6,)]


async def waits_for_a_lock(world: World) -> None:
    """Until a statement about rankings waits for another transaction."""
    async with asyncio.timeout(10):
        while not world.sql(
            "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like %s",
            "%place_ranking%",
        ):
            await look_again()


@pytest.mark.parametrize("gone", ["removed", "in another tier"])
async def test_a_neighbour_that_goes_meanwhile(world: World, dsn: str, gone: str) -> None:
    ada = await world.person()
    neighbour, other = [await rank(ada, film) for film in films(world, 2)]
    body = {"media_id": films(world, 1)[0], "tier": "A", "after_id": neighbour["id"]}
    async with await psycopg.AsyncConnection.connect(dsn) as holder:
        if gone == "removed":
            change = f"select from marquee.remove_ranking('{ada.id}', '{neighbour['id']}')"
        else:
            title = neighbour["media"]["id"]
            change = f"select from marquee.insert_ranking_between('{ada.id}', '{title}', 'B', null, null)"
        await holder.execute(change.encode())
        asked = asyncio.create_task(ada.post("/rankings", json=body))
        await waits_for_a_lock(world)
        await holder.commit()
    assert code_of(await asked) == (409, "neighbour_gone")
    assert (await ada.post("/rankings", json={**body, "after_id": other["id"]})).status_code == 201


async def test_a_ranking_that_goes_meanwhile(world: World, dsn: str) -> None:
    ada = await world.person()
    one, _ = [await rank(ada, film) for film in films(world, 2)]
    async with await psycopg.AsyncConnection.connect(dsn) as holder:
        await holder.execute(f"select from marquee.remove_ranking('{ada.id}', '{one['id']}')".encode())
        asked = asyncio.create_task(ada.patch(f"/rankings/{one['id']}/move", json={"tier": "S"}))
        await waits_for_a_lock(world)
        await holder.commit()
    assert code_of(await asked) == (404, "not_found")


async def test_the_function_alone(world: World, sql: Cursor) -> None:
    """What other floors could call: places by id, and what it says instead of placing."""
    user = (await world.person()).id
    a, b, c = films(world, 3)
    _, first, _, _ = between(sql, user, a, "A", None, None)
    _, second, _, _ = between(sql, user, b, "A", None, None)
    assert between(sql, user, c, "A", second, first)[0] == "wrong_neighbour"
    assert between(sql, user, c, "A", uuid4(), None)[0] == "neighbour_gone"
    assert between(sql, user, c, "S", first, None)[0] == "neighbour_gone"
    assert between(sql, user, a, "A", first, None)[:2] == ("unchanged", first)
    assert between(sql, user, a, "A", second, None)[:3] == ("moved", first, "A")
    assert [row[1] for row in rows_of(sql, user)] == [b, a]


async def test_one_order_for_everybody_else(world: World) -> None:
    """Changes of one person's tiers do not wait for another's, nor S for B."""
    ada = await world.person()
    rankings = [await rank(ada, film, "S") for film in films(world, 2)]
    with psycopg.connect(world.dsn) as holder:
        holder.execute("select marquee.lock_tiers(%s, '{S}')", (ada.id,))
        async with asyncio.timeout(5):
            assert await rank(ada, films(world, 1)[0], "B")
        blocked = asyncio.create_task(ada.patch(f"/rankings/{rankings[1]['id']}/move", json={"rank": 1}))
        await waits_for_a_lock(world)
        assert not blocked.done()
    assert (await blocked).status_code == 200
    assert await titles_in(ada, "S") == [one["media"]["id"] for one in reversed(rankings)]
