"""Sessions: refreshing, ending, listing, on one node and on many."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
import pytest
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.waiting import look_again
from tests.world import PASSWORD, Person, World

from quintet.domains.accounts import session_queries
from quintet.domains.accounts.upkeep import remove_expired


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def refresh(world: World, token: str) -> httpx2.Response:
    return await world.post("/auth/refresh", json={"refresh_token": token})


async def renewed(world: World, token: str) -> str:
    answer = await refresh(world, token)
    assert answer.status_code == 200, answer.text
    return answer.json()["refresh_token"]


async def log_in(person: Person, user_agent: str = "test") -> dict[str, Any]:
    answer = await person.world.post(
        "/auth/login", json={"email": person.email, "password": PASSWORD}, headers={"User-Agent": user_agent}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def until(holds: Callable[[], Awaitable[bool]], *, seconds: float) -> None:
    """Wait for the thing itself; fail when it takes too long."""
    async with asyncio.timeout(seconds):
        while True:
            if await holds():
                return
            await look_again()


def bearer(signed_in: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed_in['access_token']}"}


def let_time_pass(world: World, token: str, interval: str) -> None:
    """Make it seem to the database that the token was issued, and spent, so much earlier."""
    world.sql(
        "update accounts.refresh_tokens set spent_at = spent_at - %s::interval,"
        " expires_at = expires_at - %s::interval where hash = %s",
        interval,
        interval,
        digest(token),
    )


def is_ended(world: World, person: Person) -> bool:
    return all(ended for (ended,) in world.sql(
        "select ended_at is not null from accounts.sessions where user_id = %s", person.id
    ))  # fmt: skip


@pytest.mark.parametrize("path", ["/auth/refresh", "/api/v1/auth/refresh"])
async def test_a_refresh_answers_new_tokens(world: World, path: str) -> None:
    ada = await world.person()
    answer = await world.post(path, json={"refresh_token": ada.refresh_token})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["user"]["id"] == ada.id
    assert body["refresh_token"] != ada.refresh_token
    assert len(body["refresh_token"]) == 43  # 256 bits
    assert (await world.get("/auth/me", headers=bearer(body))).status_code == 200
    assert (await refresh(world, body["refresh_token"])).status_code == 200


async def test_a_refresh_needs_no_good_access_token(world: World) -> None:
    ada = await world.person()
    answer = await world.post(
        "/auth/refresh",
        json={"refresh_token": ada.refresh_token},
        headers={"Authorization": "Bearer expired"},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("token", ["", "nonsense", "A" * 43, "ü" * 43])
async def test_an_unknown_token_refreshes_nothing(world: World, token: str) -> None:
    answer = await refresh(world, token)
    assert code(answer) == (401, "invalid_refresh_token")
    assert "invalid_refresh_token" in answer.headers["www-authenticate"]


async def test_tokens_are_stored_only_hashed(world: World) -> None:
    ada = await world.person()
    child = await renewed(world, ada.refresh_token)
    stored = {bytes(one) for (one,) in world.sql("select hash from accounts.refresh_tokens")}
    assert {digest(child), digest(ada.refresh_token)} <= stored
    assert child.encode() not in stored


async def test_twenty_at_once_get_the_same_child_and_one_session(world: World) -> None:
    ada = await world.person()
    answers = await asyncio.gather(*(refresh(world, ada.refresh_token) for _ in range(20)))
    assert [answer.status_code for answer in answers] == [200] * 20
    (child,) = {answer.json()["refresh_token"] for answer in answers}
    assert world.sql("select count(*) from accounts.sessions where user_id = %s", ada.id) == [(1,)]
    assert world.sql(
        "select count(*) from accounts.refresh_tokens t join accounts.sessions s on s.id = t.session_id"
        " where s.user_id = %s",
        ada.id,
    ) == [(2,)]
    assert (await refresh(world, child)).status_code == 200


async def test_a_lost_answer_is_told_again_for_ten_seconds(world: World) -> None:
    ada = await world.person()
    child = await renewed(world, ada.refresh_token)
    let_time_pass(world, ada.refresh_token, "8 seconds")
    assert await renewed(world, ada.refresh_token) == child
    let_time_pass(world, ada.refresh_token, "3 seconds")
    assert code(await refresh(world, ada.refresh_token)) == (401, "invalid_refresh_token")
    assert is_ended(world, ada)
    assert code(await refresh(world, child)) == (401, "invalid_refresh_token")


async def test_once_the_child_is_used_its_parent_ends_the_family(world: World) -> None:
    ada = await world.person()
    child = await renewed(world, ada.refresh_token)
    grandchild = await renewed(world, child)
    headers = {"Authorization": f"Bearer {ada.access_token}"}
    assert (await world.get("/auth/me", headers=headers)).status_code == 200
    assert code(await refresh(world, ada.refresh_token)) == (401, "invalid_refresh_token")
    assert code(await refresh(world, grandchild)) == (401, "invalid_refresh_token")
    assert (await world.get("/auth/me", headers=headers)).status_code == 401  # at once, on this node


async def test_a_refresh_waits_for_whoever_is_ending_the_session(world: World) -> None:
    ada = await world.person()
    with psycopg.connect(world.dsn) as other:
        other.execute("update accounts.sessions set ended_at = now() where user_id = %s", (ada.id,))
        answer = asyncio.create_task(refresh(world, ada.refresh_token))

        async def is_waiting() -> bool:
            return bool(world.sql(
                "select pid from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            ))  # fmt: skip

        await until(is_waiting, seconds=8)
        other.commit()
    assert code(await answer) == (401, "invalid_refresh_token")


async def test_the_end_of_a_family_touches_no_other(world: World) -> None:
    ada = await world.person()
    other = await log_in(ada)
    child = await renewed(world, ada.refresh_token)
    let_time_pass(world, ada.refresh_token, "1 minute")
    assert (await refresh(world, ada.refresh_token)).status_code == 401
    assert (await refresh(world, child)).status_code == 401
    assert (await refresh(world, other["refresh_token"])).status_code == 200


async def test_a_token_is_good_for_thirty_days(world: World) -> None:
    ada, ben = await world.person(), await world.person("ben")
    let_time_pass(world, ada.refresh_token, "29 days 23 hours")
    let_time_pass(world, ben.refresh_token, "30 days 1 second")
    assert (await refresh(world, ada.refresh_token)).status_code == 200
    assert code(await refresh(world, ben.refresh_token)) == (401, "invalid_refresh_token")
    assert not is_ended(world, ben)


async def test_a_spent_token_that_has_expired_still_gives_a_thief_away(world: World) -> None:
    ada = await world.person()
    child = await renewed(world, ada.refresh_token)
    let_time_pass(world, ada.refresh_token, "31 days")
    assert (await refresh(world, ada.refresh_token)).status_code == 401
    assert (await refresh(world, child)).status_code == 401


async def test_refreshing_is_limited_by_session(dsn: str) -> None:
    async with serving(settings_for_tests(QUINTET_LIMIT_REFRESH="3/minute"), dsn) as world:
        ada, ben = await world.person(), await world.person("ben")
        token = ada.refresh_token
        for _ in range(3):
            answer = await refresh(world, token)
            assert '"refresh";q=3;w=60' in answer.headers["ratelimit-policy"]
            token = answer.json()["refresh_token"]
        refused = await refresh(world, token)
        assert code(refused) == (429, "rate_limited")
        assert int(refused.headers["retry-after"]) >= 1
        assert (await refresh(world, ben.refresh_token)).status_code == 200


@pytest.mark.parametrize("prefix", ["/auth", "/api/v1/auth"])
async def test_logging_out_ends_this_session_only(world: World, prefix: str) -> None:
    ada = await world.person()
    other = await log_in(ada)
    answer = await ada.post(f"{prefix}/logout")
    assert (answer.status_code, answer.content) == (204, b"")
    assert code(await ada.get("/auth/me")) == (401, "not_signed_in")
    assert code(await ada.post(f"{prefix}/logout")) == (401, "not_signed_in")
    assert code(await refresh(world, ada.refresh_token)) == (401, "invalid_refresh_token")
    assert (await world.get("/auth/me", headers=bearer(other))).status_code == 200
    assert (await refresh(world, other["refresh_token"])).status_code == 200


async def test_one_sees_where_one_is_signed_in(world: World) -> None:
    ada, ben = await world.person(), await world.person("ben")
    firefox = await log_in(ada, "Firefox\t" + "x" * 300)
    answer = await world.get("/api/v1/auth/sessions", headers=bearer(firefox))
    assert answer.status_code == 200
    newest, oldest = answer.json()["items"]
    assert answer.json()["next_cursor"] is None
    assert newest.keys() == {"id", "created_at", "last_seen_at", "user_agent", "current"}
    assert (newest["current"], oldest["current"]) == (True, False)
    assert newest["user_agent"].startswith("Firefoxxx")
    assert len(newest["user_agent"]) == 256
    assert newest["created_at"].endswith("Z")
    theirs = (await ben.get("/auth/sessions")).json()["items"]
    assert {one["id"] for one in theirs}.isdisjoint({newest["id"], oldest["id"]})


async def test_the_list_of_sessions_has_pages(world: World) -> None:
    ada = await world.person()
    for _ in range(4):
        await log_in(ada)
    everything = [one["id"] for one in (await ada.get("/auth/sessions")).json()["items"]]
    walked: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    for _ in range(3):
        page = (await ada.get("/auth/sessions", params=query)).json()
        walked += [one["id"] for one in page["items"]]
        query["cursor"] = page["next_cursor"]
    assert walked == everything
    assert len(walked) == 5
    assert query["cursor"] is None
    ben = await world.person("ben")
    cursor = (await ada.get("/auth/sessions", params={"limit": 2})).json()["next_cursor"]
    assert code(await ben.get("/auth/sessions", params={"cursor": cursor})) == (400, "invalid_cursor")
    assert code(await ada.get("/auth/sessions", params={"cursor": "x"})) == (400, "invalid_cursor")
    assert (await ada.get("/auth/sessions", params={"limit": 101})).status_code == 422
    assert (await ada.get("/auth/sessions", params={"limit": 0})).status_code == 422


async def test_ending_one_session(world: World) -> None:
    ada, ben = await world.person(), await world.person("ben")
    other = await log_in(ada)
    (target,) = [s["id"] for s in (await ada.get("/auth/sessions")).json()["items"] if not s["current"]]
    assert code(await ben.delete(f"/auth/sessions/{target}")) == (404, "not_found")
    assert code(await ada.delete(f"/auth/sessions/{uuid4()}")) == (404, "not_found")
    assert code(await ada.delete("/auth/sessions/nonsense")) == (404, "not_found")
    assert (await world.get("/auth/me", headers=bearer(other))).status_code == 200
    assert (await ada.delete(f"/api/v1/auth/sessions/{target}")).status_code == 204
    assert (await world.get("/auth/me", headers=bearer(other))).status_code == 401
    assert code(await ada.delete(f"/auth/sessions/{target}")) == (404, "not_found")
    assert len((await ada.get("/auth/sessions")).json()["items"]) == 1


async def test_ending_all_other_sessions(world: World) -> None:
    ada, ben = await world.person(), await world.person("ben")
    others = [await log_in(ada) for _ in range(3)]
    for other in others:
        assert (await world.get("/auth/me", headers=bearer(other))).status_code == 200
    assert (await ada.delete("/api/v1/auth/sessions")).status_code == 204
    for other in others:
        assert (await world.get("/auth/me", headers=bearer(other))).status_code == 401
    assert (await ada.get("/auth/me")).status_code == 200
    assert (await ben.get("/auth/me")).status_code == 200


async def test_using_a_session_is_noticed_now_and_then(world: World) -> None:
    ada = await world.person()
    world.sql(
        "update accounts.sessions set last_seen_at = now() - interval '6 minutes' where user_id = %s", ada.id
    )
    seen = "select last_seen_at, expires_at from accounts.sessions where user_id = %s"
    ((before, expires_at),) = world.sql(seen, ada.id)
    assert (await ada.get("/auth/me")).status_code == 200
    ((after, still),) = world.sql(seen, ada.id)
    assert after > before
    assert still == expires_at  # only a refresh prolongs our own sessions


async def test_a_session_is_looked_up_once_for_many_calls(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await world.person()
    asked: list[Any] = []
    real = session_queries.session_state

    async def counted(tx: Any, session_id: Any) -> Any:
        asked.append(session_id)
        return await real(tx, session_id)

    monkeypatch.setattr(session_queries, "session_state", counted)
    begun = time.monotonic()
    actors = await asyncio.gather(*(world.kernel.authenticate(ada.access_token) for _ in range(50)))
    assert {str(actor.id) for actor in actors} == {ada.id}
    assert len(asked) == 1
    await world.kernel.authenticate(ada.access_token)
    assert len(asked) == 1 or time.monotonic() - begun > 1


async def test_logout_and_role_take_effect_on_every_node(world: World, dsn: str) -> None:
    async with serving(settings_for_tests(), dsn) as elsewhere:
        ada = await world.person()
        assert (await elsewhere.kernel.authenticate(ada.access_token)).role == "user"
        world.sql("update accounts.users set role = 'admin' where id = %s", ada.id)

        async def role_has_changed() -> bool:
            return (await elsewhere.kernel.authenticate(ada.access_token)).role == "admin"

        await until(role_has_changed, seconds=2)
        headers = {"Authorization": f"Bearer {ada.access_token}"}
        assert (await elsewhere.get("/auth/me", headers=headers)).status_code == 200
        assert (await ada.post("/auth/logout")).status_code == 204

        async def is_signed_out() -> bool:
            return (await elsewhere.get("/auth/me", headers=headers)).status_code == 401

        await until(is_signed_out, seconds=2)
        assert (await refresh(elsewhere, ada.refresh_token)).status_code == 401


async def test_refresh_holds_across_nodes_and_restarts(dsn: str) -> None:
    async with serving(settings_for_tests(), dsn) as first, serving(settings_for_tests(), dsn) as second:
        ada = await first.person()
        answers = await asyncio.gather(*(refresh(world, ada.refresh_token) for world in (first, second) * 10))
        (child,) = {answer.json()["refresh_token"] for answer in answers}
    async with serving(settings_for_tests(), dsn) as later:
        assert await renewed(later, ada.refresh_token) == child
        assert (await later.get("/auth/me", headers=bearer(answers[0].json()))).status_code == 200
        grandchild = await renewed(later, child)
        assert (await refresh(later, ada.refresh_token)).status_code == 401
        assert (await refresh(later, grandchild)).status_code == 401


async def test_upkeep_removes_only_what_has_run_out(worker_name: str) -> None:
    name = f"quintet_upkeep_{worker_name}"
    dsn = clone_database(name)
    try:
        async with serving(settings_for_tests(), dsn) as world:
            ada, ben = await world.person(), await world.person("ben")
            for _ in range(4):
                await log_in(ben)
            child = await renewed(world, ada.refresh_token)
            let_time_pass(world, ada.refresh_token, "31 days")
            world.sql(
                "update accounts.sessions set expires_at = now() - interval '61 minutes' where user_id = %s",
                ben.id,
            )
            world.sql(
                "update accounts.trusted_addresses set seen_at = now() - interval '31 days'"
                " where user_id = %s",
                ben.id,
            )
            await remove_expired(world.kernel.database, most=2)
            assert world.sql("select user_id::text from accounts.sessions") == [(ada.id,)]
            assert world.sql("select hash from accounts.refresh_tokens") == [(digest(child),)]
            assert world.sql("select user_id::text from accounts.trusted_addresses") == [(ada.id,)]
            assert (await refresh(world, child)).status_code == 200
            world.sql("update accounts.sessions set expires_at = now() - interval '2 hours'")
        async with serving(settings_for_tests(), dsn) as world:  # which does it by itself

            async def is_removed() -> bool:
                return not world.sql("select id from accounts.sessions")

            await until(is_removed, seconds=10)
    finally:
        drop_database(name)
