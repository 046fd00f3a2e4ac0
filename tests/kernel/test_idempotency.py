"""One key, one effect."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.world import World, code_of, new_title

from quintet.apps.wigg import queries
from quintet.kernel.database import Database, Tx
from quintet.kernel.idempotency import Idempotency, KeptAnswer
from quintet.kernel.refusals import IdempotencyInFlight


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def kept_keys(world: World) -> int:
    """How many keys are kept that nobody has aged (upkeep removes those whenever it likes)."""
    return world.sql(
        "select count(*) from kernel.idempotency_keys where created_at > now() - interval '1 hour'"
    )[0][0]


def same(first: httpx2.Response, again: httpx2.Response) -> None:
    """Check that a repetition answers what the first did."""
    assert (again.status_code, again.content) == (first.status_code, first.content)
    for name in ("location", "etag", "content-type", "cache-control"):
        assert again.headers.get(name) == first.headers.get(name), name
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


async def test_the_first_answer_comes_again(world: World) -> None:
    ada = await world.person()
    key = keyed(str(uuid4()))
    body = {"title": "Heat", "kind": "film"}
    first, again, third = [await ada.post("/api/titles", json=body, headers=key) for _ in range(3)]
    assert first.status_code == 201
    assert first.headers["location"] == f"/api/titles/{first.json()['id']}"
    assert first.headers["etag"] == '"1"'
    same(first, again)
    same(first, third)
    title = first.json()["id"]
    path = f"/api/titles/{title}"
    patched = [await ada.patch(path, json={"year": 1995}, headers=key) for _ in range(2)]
    same(*patched)
    # What has happened since does not change what is told again.
    await ada.patch(path, json={"year": 2000})
    same(patched[0], await ada.patch(path, json={"year": 1995}, headers=key))
    assert (await ada.get(path)).json()["year"] == 2000
    placed = [await ada.post(f"{path}/wiggs", json={"position_pct": 7}, headers=key) for _ in range(2)]
    same(*placed)
    assert placed[0].json()["undo_token"]
    removed = [await ada.delete(f"{path}/wiggs/{placed[0].json()['id']}", headers=key) for _ in range(2)]
    same(*removed)
    assert removed[0].status_code == 200


async def test_another_request_under_the_key_is_refused(world: World) -> None:
    ada = await world.person()
    key = keyed(str(uuid4()))
    title, other = await new_title(ada), await new_title(ada)
    path = f"/api/titles/{title}/wiggs"
    assert (await ada.post(path, json={"position_pct": 1}, headers=key)).status_code == 201
    for reused in (
        await ada.post(path, json={"position_pct": 2}, headers=key),
        await ada.post(
            path, json={"position_pct": 1.0}, headers=key
        ),  # other bytes: told apart, not guessed at
        await ada.post(f"{path}?x=1", json={"position_pct": 1}, headers=key),
        await ada.post(f"/api/titles/{other}/wiggs", json={"position_pct": 1}, headers=key),
    ):
        assert code_of(reused) == (422, "idempotency_key_reused")
    assert len((await ada.get(path)).json()["entries"]) == 1
    assert (await ada.get(f"/api/titles/{other}/wiggs")).json()["entries"] == []


async def test_users_methods_and_routes_are_independent(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    key = keyed("the-same-key")
    title = await new_title(ada)
    path = f"/api/titles/{title}/wiggs"
    body = {"position_pct": 1}
    answers = [await who.post(path, json=body, headers=key) for who in (ada, ben)]
    assert [a.status_code for a in answers] == [201, 201]
    assert answers[0].json()["id"] != answers[1].json()["id"]
    assert (await ada.post(f"{path}/batch", json={"wiggs": [body]}, headers=key)).status_code == 200
    own = f"{path}/{answers[0].json()['id']}"
    assert (await ada.patch(own, json={"rating": 1}, headers=key)).status_code == 200
    assert (await ada.delete(own, headers=key)).status_code == 200


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "caf\u00e9", "tab\tin"])
async def test_keys_that_cannot_be(world: World, key: str) -> None:
    ada = await world.person()
    before = kept_keys(world)
    answer = await ada.post(
        "/api/titles", json={"title": "x", "kind": "film"}, headers={"Idempotency-Key": key.encode("latin-1")}
    )
    assert code_of(answer) == (422, "invalid_idempotency_key")
    assert kept_keys(world) == before


@pytest.mark.parametrize("key", ["x", "~" * 255, "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}"])
async def test_keys_that_can_be(world: World, key: str) -> None:
    ada = await world.person()
    answers = [
        await ada.post("/api/titles", json={"title": "x", "kind": "film"}, headers=keyed(key)) for _ in "ab"
    ]
    same(*answers)


async def test_refusals_are_not_kept(world: World) -> None:
    ada = await world.person()
    key = keyed(str(uuid4()))
    before = kept_keys(world)
    title_id = f"late-{uuid4()}"
    path = f"/api/titles/{title_id}/wiggs"
    assert code_of(await ada.post(path, json={"position_pct": 1}, headers=key)) == (404, "not_found")
    assert code_of(await ada.post(path, json={"position_pct": 101}, headers=key)) == (422, "invalid_request")
    assert kept_keys(world) == before
    await new_title(ada, id=title_id)
    placed = await ada.post(path, json={"position_pct": 1}, headers=key)
    assert (placed.status_code, placed.headers.get("idempotent-replayed")) == (201, None)


async def test_a_crash_in_between_leaves_neither_key_nor_effect(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await world.person()
    title = await new_title(ada)
    key, before = keyed(str(uuid4())), kept_keys(world)

    async def broken(*_: Any) -> Any:
        raise RuntimeError("the last statement breaks")

    monkeypatch.setattr(queries, "write", broken)
    path = f"/api/titles/{title}/wiggs"
    assert (await ada.post(path, json={"position_pct": 1}, headers=key)).status_code == 500
    monkeypatch.undo()
    assert kept_keys(world) == before
    placed = await ada.post(path, json={"position_pct": 1}, headers=key)
    assert (placed.status_code, placed.headers.get("idempotent-replayed")) == (201, None)
    assert len((await ada.get(path)).json()["entries"]) == 1


async def test_the_key_is_kept_in_the_transaction_of_the_effect(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The effect is done, the key's row fails: the effect is not there either."""
    ada = await world.person()
    title = await new_title(ada)

    async def broken(*_: Any) -> Any:
        raise RuntimeError("writing the key breaks")

    monkeypatch.setattr("quintet.kernel.idempotency._keep_answer", broken)
    path = f"/api/titles/{title}/wiggs"
    assert (await ada.post(path, json={"position_pct": 1}, headers=keyed("k"))).status_code == 500
    assert (await ada.get(path)).json()["entries"] == []
    assert world.sql("select count(*) from kernel.room_events where room = %s", f"title:{title}") == [(0,)]


async def test_in_flight_is_told_at_once_and_without_a_connection(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(settings_for_tests(QUINTET_DATABASE_CONNECTIONS="2"), dsn) as own:
        ada = await own.person()
        title = await new_title(ada)
        path, body, key = f"/api/titles/{title}/wiggs", {"position_pct": 1}, keyed(str(uuid4()))
        entered, go_on = asyncio.Event(), asyncio.Event()
        lock = queries.own_locked

        async def held_up(*args: Any) -> Any:
            entered.set()
            await go_on.wait()
            return await lock(*args)

        monkeypatch.setattr(queries, "own_locked", held_up)
        first = asyncio.create_task(ada.post(path, json=body, headers=key))
        await asyncio.wait_for(entered.wait(), 10)
        taken = 0

        def counting(database: Database) -> Any:
            nonlocal taken
            taken += 1
            return connection(database)

        connection = Database._connection
        assert (await ada.get("/auth/me")).status_code == 200  # whose session is then known for a second
        monkeypatch.setattr(Database, "_connection", counting)
        answers = await asyncio.wait_for(
            asyncio.gather(*(ada.post(path, json=body, headers=key) for _ in range(20))), 10
        )
        asked = taken
        go_on.set()
        assert (await first).status_code == 201
        for answer in answers:
            assert code_of(answer) == (409, "idempotency_in_flight")
            assert answer.headers["retry-after"] == "1"
        print(f"in flight: {len(answers)} duplicates asked the database {asked} times, for leases")
        assert asked < len(answers)
        same(await first, await ada.post(path, json=body, headers=key))


async def test_another_node_runs_it(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(settings_for_tests(), dsn) as one, serving(settings_for_tests(), dsn) as two:
        ada = await one.person()
        title = await new_title(ada)
        path, body, key = f"/api/titles/{title}/wiggs", {"position_pct": 1}, keyed(str(uuid4()))
        headers = {**key, "Authorization": f"Bearer {ada.access_token}"}
        entered, go_on = asyncio.Event(), asyncio.Event()
        write = queries.write

        async def held_up(*args: Any) -> int:
            entered.set()
            await go_on.wait()
            return await write(*args)

        monkeypatch.setattr(queries, "write", held_up)
        first = asyncio.create_task(ada.post(path, json=body, headers=key))
        await asyncio.wait_for(entered.wait(), 10)
        answer = await asyncio.wait_for(two.post(path, json=body, headers=headers), 5)
        assert code_of(answer) == (409, "idempotency_in_flight")
        go_on.set()
        assert (await first).status_code == 201
        same(await first, await two.post(path, json=body, headers=headers))
        assert (
            code_of(await two.post(path, json={"position_pct": 2}, headers=headers))[1]
            == "idempotency_key_reused"
        )


async def test_the_storm(dsn: str) -> None:
    """200 parallel duplicates of each of 10 keys, on two nodes: exactly one effect each."""
    keys, duplicates = 10, 200
    async with serving(settings_for_tests(), dsn) as one, serving(settings_for_tests(), dsn) as two:
        ada = await one.person()
        title = await new_title(ada)
        path = f"/api/titles/{title}/wiggs"

        async def send(node: World, number: int) -> httpx2.Response:
            headers = {"Authorization": f"Bearer {ada.access_token}", "Idempotency-Key": f"storm-{number}"}
            return await node.post(path, json={"position_pct": number * 5}, headers=headers)

        answers = await asyncio.gather(
            *(send((one, two)[copy % 2], number) for copy in range(duplicates) for number in range(keys))
        )
        again = [await send(two, number) for number in range(keys)]
        entries = (await ada.get(path)).json()["entries"]
        counts = Counter(
            "replayed" if "idempotent-replayed" in a.headers else str(a.status_code) for a in answers
        )
        print(f"storm: {keys} keys x {duplicates}: {dict(counts)}, effects {len(entries)}")
        assert sorted(entry["pct"] for entry in entries) == [number * 5.0 for number in range(keys)]
        assert counts["201"] == keys
        assert set(counts) <= {"201", "409", "replayed"}
        assert {a.json()["id"] for a in answers if a.status_code == 201} == {entry["id"] for entry in entries}
        assert [a.headers.get("idempotent-replayed") for a in again] == ["true"] * keys
        room = f"title:{title}"
        placed = "select count(*) from kernel.room_events where room = %s and body->>'type' = 'wigg_placed'"
        assert one.sql(placed, room) == [(keys,)]
        assert one.sql("select wiggs_count from wigg.curves where title_id = %s", title) == [(keys,)]


async def test_two_nodes_that_see_no_lock_still_have_one_effect(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The advisory lock is for speed; the row alone keeps the promise."""
    nodes = [Idempotency(world.kernel.database, world.kernel.secrets) for _ in range(6)]
    effects, scope = 0, ("u", "POST", f"/{uuid4()}")
    arrived, all_here = 0, asyncio.Event()
    one = Tx.one

    async def no_lock(tx: Tx, row: Any, statement: Any, *values: Any) -> Any:
        lockless = statement.replace("pg_try_advisory_xact_lock($1)", "$1::bigint is not null")
        return await one(tx, row, lockless, *values)

    monkeypatch.setattr(Tx, "one", no_lock)

    async def act(_: Tx) -> KeptAnswer:
        nonlocal arrived, effects
        arrived += 1
        if arrived == len(nodes):
            all_here.set()
        await asyncio.wait_for(all_here.wait(), 10)
        effects += 1
        return KeptAnswer(200, str(effects).encode())

    told = await asyncio.gather(*(node.once(scope, "k", ("r",), act) for node in nodes))
    assert len({answer.body for answer, _ in told}) == 1
    assert sorted(repeated for _, repeated in told) == [False, *[True] * 5]


async def test_a_key_is_free_again_after_a_day(world: World) -> None:
    own = Idempotency(world.kernel.database, world.kernel.secrets)
    scope, done = ("u", "POST", f"/{uuid4()}"), 0

    async def act(_: Tx) -> KeptAnswer:
        nonlocal done
        done += 1
        return KeptAnswer(200, f"answer {done}".encode())

    async def ask(request: str) -> tuple[bytes, bool]:
        answer, repeated = await own.once(scope, "k", (request,), act)
        return answer.body, repeated

    assert await ask("a") == (b"answer 1", False)
    newest = "(select id from kernel.idempotency_keys order by created_at desc limit 1)"
    (own_id,) = world.sql(f"select id from kernel.idempotency_keys where id = {newest}")[0]
    age = (
        "update kernel.idempotency_keys set created_at = created_at - %s * interval '1 minute' where id = %s"
    )
    world.sql(age, 24 * 60 - 1, own_id)
    assert await ask("a") == (b"answer 1", True)
    world.sql(age, 1, own_id)
    assert await ask("b") == (b"answer 2", False)
    assert await ask("b") == (b"answer 2", True)


async def test_a_key_is_free_again_after_a_day_through_the_door(worker_name: str) -> None:
    name = f"quintet_day_{worker_name}"
    async with serving(settings_for_tests(), clone_database(name)) as own:
        ada = await own.person()
        body, key = {"title": "Heat", "kind": "film"}, keyed("daily")
        first = await ada.post("/api/titles", json=body, headers=key)
        for hours, fresh in ((23.9, False), (0.2, True)):
            own.clock.go(hours=hours)
            renewed = await own.post("/auth/refresh", json={"refresh_token": ada.refresh_token})
            ada.access_token, ada.refresh_token = (
                renewed.json()["access_token"],
                renewed.json()["refresh_token"],
            )
            answer = await ada.post("/api/titles", json=body, headers=key)
            assert answer.status_code == 201
            assert (answer.json()["id"] != first.json()["id"]) is fresh
            assert ("idempotent-replayed" in answer.headers) is not fresh
    drop_database(name)


async def test_what_is_kept_is_sealed(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    key, note = f"whispered-{uuid4()}", "a whispered note"
    placed = await ada.post(
        f"/api/titles/{title}/wiggs", json={"position_pct": 1, "note": note}, headers=keyed(key)
    )
    secrets = [key, note, placed.json()["undo_token"], placed.json()["id"], ada.id, title]
    rows = world.sql(
        "select id, fingerprint, sealed from kernel.idempotency_keys order by created_at desc limit 5"
    )
    assert rows
    for row in rows:
        for column in row:
            for secret in secrets:
                assert secret.encode() not in bytes(column)
    # Nothing that is equal says so: two keys with one request leave rows that share nothing.
    for n in "ab":
        await ada.patch(f"/api/titles/{title}", json={"year": 1}, headers=keyed(f"{key}-{n}"))
    first, second = world.sql(
        "select id, fingerprint, sealed from kernel.idempotency_keys order by created_at desc limit 2"
    )
    assert not {bytes(c) for c in first} & {bytes(c) for c in second}


async def test_signing_in_takes_no_key(world: World) -> None:
    ada = await world.person()
    before = kept_keys(world)
    body = {"email": ada.email, "password": ada.password}
    answers = [await ada.post("/auth/login", json=body, headers=keyed("login")) for _ in range(2)]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].json()["refresh_token"] != answers[1].json()["refresh_token"]
    assert kept_keys(world) == before


async def test_a_running_key_is_forgotten_when_its_request_is_cancelled(world: World) -> None:
    own = Idempotency(world.kernel.database, world.kernel.secrets)
    scope, entered = ("u", "POST", f"/{uuid4()}"), asyncio.Event()

    async def act(_: Tx) -> KeptAnswer:
        if not entered.is_set():
            entered.set()
            await asyncio.Event().wait()
        return KeptAnswer(200, b"done")

    first = asyncio.create_task(own.once(scope, "k", ("r",), act))
    await asyncio.wait_for(entered.wait(), 10)
    with pytest.raises(IdempotencyInFlight):
        await own.once(scope, "k", ("r",), act)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await own.once(scope, "k", ("r",), act) == (KeptAnswer(200, b"done"), False)
