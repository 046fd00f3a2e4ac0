"""Rate limits: exact, shared by all nodes, told in headers."""

import asyncio
import math
import re
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import clone_database, drop_database, serving, settings_for_tests
from tests.world import World, code_of, mark, new_title

PATH = "/api/milestone-icons"


@pytest.fixture(scope="module")
def own_dsn(worker_name: str) -> Generator[str]:
    """A database of this module's own, so that nobody else's calls count here."""
    name = f"quintet_limits_{worker_name}"
    yield clone_database(name)
    drop_database(name)


@asynccontextmanager
async def nodes(dsn: str, count: int = 1, **environment: str) -> AsyncGenerator[list[World]]:
    """So many servers on one database, with nothing counted yet."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("truncate kernel.rate_limits")
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(serving(settings_for_tests(**environment), dsn))
            for _ in range(count)
        ]


def statuses(answers: list[httpx2.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def check_refused(answer: httpx2.Response, policy: str) -> int:
    """Check a 429 and answer how many seconds it asks to wait."""
    assert code_of(answer) == (429, "rate_limited")
    assert re.fullmatch(r"[1-9]\d*", answer.headers["retry-after"])
    assert f'"{policy}";r=0' in answer.headers["ratelimit"]
    assert answer.headers["x-ratelimit-remaining"] == "0"
    return int(answer.headers["retry-after"])


def policies(answer: httpx2.Response) -> list[str]:
    return re.findall(r'"(\w+)";q=', answer.headers.get("ratelimit-policy", ""))


async def test_exactly_as_many_as_the_limit_pass(own_dsn: str) -> None:
    async with nodes(own_dsn, QUINTET_LIMIT_ANONYMOUS="100/hour") as (node,):
        answers = [await node.get(PATH) for _ in range(110)]
    assert [a.status_code for a in answers] == [200] * 100 + [429] * 10
    # The headers count down one by one, whatever was leased at once behind them.
    assert [int(a.headers["x-ratelimit-remaining"]) for a in answers] == [*range(99, -1, -1), *[0] * 10]
    for answer in answers:
        assert answer.headers["ratelimit-policy"] == '"anonymous";q=100;w=3600'
        assert answer.headers["x-ratelimit-limit"] == "100"
        assert re.fullmatch(r'"anonymous";r=\d+;t=\d+', answer.headers["ratelimit"])
        assert 0 < int(answer.headers["x-ratelimit-reset"]) <= 3600
    assert 35 <= check_refused(answers[-1], "anonymous") <= 36


async def test_exactly_as_many_pass_at_once(own_dsn: str) -> None:
    async with nodes(own_dsn, QUINTET_LIMIT_ANONYMOUS="100/hour") as (node,):
        answers = await asyncio.gather(*(node.get(PATH) for _ in range(200)))
    assert statuses(answers) == {200: 100, 429: 100}
    for answer in answers:
        if answer.status_code == 429:
            check_refused(answer, "anonymous")


async def test_two_nodes_together_let_no_more_through(own_dsn: str) -> None:
    async with nodes(own_dsn, 2, QUINTET_LIMIT_ANONYMOUS="100/hour") as both:
        waves = [
            await asyncio.gather(*(node.get(PATH) for node in both for _ in range(size)))
            for size in (1, 2, 4, 8, 16, 32, 64)
        ]
    passed = sum(statuses(wave)[200] for wave in waves)
    print(f"two nodes, limit 100: {passed} passed of {sum(map(len, waves))}")
    assert 100 - 10 <= passed <= 100  # a node may hold a lease of a tenth that it finds no use for


async def test_a_node_gives_back_what_it_did_not_use(own_dsn: str) -> None:
    async with nodes(own_dsn, QUINTET_LIMIT_ANONYMOUS="100/hour") as (node,):
        assert statuses([await node.get(PATH) for _ in range(40)]) == {200: 40}
        leases = node.kernel.limits._leases
        ((key, lease),) = leases.items()
        assert lease.cells > 0
        lease.until = 0.0  # its second has passed
        assert statuses([await node.get(PATH) for _ in range(70)]) == {200: 60, 429: 10}
        # A refused caller costs the database nothing more until there is something to have.
        before = node.sql("select arrives_at from kernel.rate_limits")
        refused_until = leases[key].refused_until
        assert (await node.get(PATH)).status_code == 429
        assert leases[key].refused_until == refused_until
        assert node.sql("select arrives_at from kernel.rate_limits") == before


async def test_a_caller_who_is_quiet_leases_one_at_a_time(own_dsn: str) -> None:
    async with nodes(own_dsn, QUINTET_LIMIT_ANONYMOUS="100/hour") as (node,):
        for _ in range(5):
            assert (await node.get(PATH)).status_code == 200
            (lease,) = node.kernel.limits._leases.values()
            lease.until = 0.0
        assert (lease.size, lease.cells) == (1, 0)


async def test_recovery_after_time(own_dsn: str) -> None:
    async with nodes(own_dsn, QUINTET_LIMIT_ANONYMOUS="60/hour burst 3") as (node,):
        assert statuses([await node.get(PATH) for _ in range(5)]) == {200: 3, 429: 2}
        wait = check_refused(await node.get(PATH), "anonymous")
        assert 59 <= wait <= 60
        for seconds, passing in ((wait, 1), (130, 2), (10_000, 3)):
            node.kernel.limits._leases.clear()
            node.sql("update kernel.rate_limits set arrives_at = arrives_at - %s", seconds)
            answers = [await node.get(PATH) for _ in range(5)]
            assert statuses(answers)[200] == passing, (seconds, statuses(answers))


async def test_the_anonymous_are_told_apart_by_address(own_dsn: str) -> None:
    environment = {
        "QUINTET_LIMIT_ANONYMOUS": "2/hour",
        "QUINTET_TRUSTED_PROXIES": "127.0.0.0/8, 10.0.0.0/8, fd00::/8",
    }
    async with nodes(own_dsn, **environment) as (node,):

        async def passes(forwarded: str | list[str]) -> bool:
            lines = [forwarded] if isinstance(forwarded, str) else forwarded
            headers = [("X-Forwarded-For", line) for line in lines]
            return (await node.get(PATH, headers=headers)).status_code == 200

        async def same(first: Any, second: Any) -> bool:
            """Whether two say the same address: one call by each is allowed, then none."""
            node.kernel.limits._leases.clear()
            node.sql("truncate kernel.rate_limits")
            assert [await passes(first), await passes(first)] == [True, True]
            return not await passes(second)

        assert not await same("203.0.113.1", "203.0.113.2")
        assert await same("203.0.113.1", " 203.0.113.1 ")
        # IPv6 counts by its /64; IPv4 in IPv6 is IPv4.
        assert await same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9")
        assert not await same("2001:db8:1:2::1", "2001:db8:1:3::1")
        assert await same("::ffff:203.0.113.1", "203.0.113.1")
        # Right to left, past trusted proxies only: what a client wrote itself further left is nothing.
        assert await same("1.1.1.1, 203.0.113.1", "2.2.2.2, 203.0.113.1")
        assert await same("1.1.1.1, 203.0.113.1, 10.1.2.3", "203.0.113.1")
        assert await same(["1.1.1.1", "203.0.113.1", "10.1.2.3, fd00::1"], "203.0.113.1")
        assert not await same("203.0.113.1, 198.51.100.7", "203.0.113.1, 198.51.100.8")
        assert await same("203.0.113.1, , 10.0.0.1", "10.0.0.1")
        assert await same("garbage-of-no-address", "1.1.1.1, garbage-of-no-address")


async def test_without_trusted_proxies_nothing_forwarded_counts(own_dsn: str) -> None:
    async with nodes(own_dsn, QUINTET_LIMIT_ANONYMOUS="3/hour") as (node,):
        answers = [await node.get(PATH, headers={"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(5)]
    assert statuses(answers) == {200: 3, 429: 2}


async def test_a_stranger_may_not_speak_for_others(own_dsn: str) -> None:
    async with nodes(own_dsn, QUINTET_LIMIT_ANONYMOUS="3/hour", QUINTET_TRUSTED_PROXIES="10.0.0.1") as (
        node,
    ):
        answers = [await node.get(PATH, headers={"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(5)]
    assert statuses(answers) == {200: 3, 429: 2}


async def test_exempt_routes(own_dsn: str) -> None:
    async with nodes(own_dsn, QUINTET_LIMIT_ANONYMOUS="1/hour") as (node,):
        assert statuses([await node.get(PATH) for _ in range(2)]) == {200: 1, 429: 1}
        exempt = (
            "/health/live",
            "/health/ready",
            "/metrics",
            "/.well-known/jwks.json",
            "/openapi.json",
            "/docs",
        )
        for path in exempt:
            for _ in range(3):
                answer = await node.get(path)
                assert answer.status_code == 200, path
                assert "ratelimit" not in answer.headers


async def test_who_is_signed_in_has_a_limit_of_their_own(own_dsn: str) -> None:
    environment = {"QUINTET_LIMIT_ANONYMOUS": "9/hour", "QUINTET_LIMIT_SIGNED_IN": "5/hour"}
    async with nodes(own_dsn, **environment) as (node,):
        ada, ben = await node.person("ada"), await node.person("ben")
        answers = [await ada.get(PATH) for _ in range(7)]
        assert statuses(answers) == {200: 5, 429: 2}
        assert policies(answers[0]) == ["signed_in"]
        assert statuses([await ben.get(PATH) for _ in range(7)]) == {200: 5, 429: 2}
        # Wrong tokens count against their address, as anonymous calls do.
        headers = {"Authorization": "Bearer nonsense"}
        told = [(await node.get(PATH, headers=headers)).status_code for _ in range(12)]
        assert told == [401] * 7 + [429] * 5  # two sign-ups came first


async def test_placing_is_limited_by_user(own_dsn: str) -> None:
    async with nodes(own_dsn, QUINTET_LIMIT_PLACE="4/hour") as (node,):
        ada, ben = await node.person("ada"), await node.person("ben")
        title = await new_title(ada)
        path = f"/api/titles/{title}/wiggs"
        answers = [await ada.post(path, json={"position_pct": pct}) for pct in (1, 20, 30)]
        answers.append(await ada.post(f"{path}/batch", json={"wiggs": [{"position_pct": 50}]}))
        answers += [await ada.post(path, json={"position_pct": 90}) for _ in range(2)]
        assert [a.status_code for a in answers] == [201, 201, 201, 200, 429, 429]
        assert policies(answers[0]) == ["signed_in", "place"]
        assert answers[0].headers["x-ratelimit-limit"] == "4"  # the tightest
        check_refused(answers[-1], "place")
        assert (await ada.get(path)).status_code == 200
        assert len((await ada.get(path)).json()["entries"]) == 4
        await mark(ben, title, 5)


async def test_signing_up_is_limited_by_address(own_dsn: str) -> None:
    async with nodes(own_dsn, QUINTET_LIMIT_AUTH="3/hour") as (node,):
        answers = [
            await node.post("/auth/login", json={"email": "a@b.example", "password": "x"}) for _ in range(5)
        ]
    assert statuses(answers) == {401: 3, 429: 2}
    check_refused(answers[-1], "auth")


# Long against the test's own duration, so that real time passing between two statements cannot matter.
INTERVAL = 1000.0


class Gcra:
    """The generic cell rate algorithm as a model: time is told to it, in intervals."""

    def __init__(self, burst: int) -> None:
        self.burst = burst
        self.arrives_at: float | None = None
        self.now = 0.0

    def take(self, wanted: int, returned: int) -> tuple[int, float]:
        busy = 0.0
        if self.arrives_at is not None:
            busy = max(0.0, self.arrives_at - returned - self.now)
        granted = max(0, min(wanted, math.floor(self.burst - busy + 1e-6)))
        self.arrives_at = self.now + busy + granted
        return granted, busy + granted


@given(
    st.integers(1, 20),
    st.lists(st.tuples(st.integers(0, 25), st.integers(0, 6), st.integers(0, 12)), min_size=1, max_size=12),
)
@settings(max_examples=40, deadline=None)
def test_the_database_counts_as_the_algorithm_does(
    own_dsn: str, burst: int, steps: list[tuple[int, int, int]]
) -> None:
    """Hypothesis: any sequence of taking, giving back and waiting (in half intervals)."""
    model = Gcra(burst)
    with psycopg.connect(own_dsn) as connection:
        for wanted, returned, halves in steps:
            model.now += halves / 2
            connection.execute(
                "update kernel.rate_limits set arrives_at = arrives_at - %s", (halves / 2 * INTERVAL,)
            )
            told = connection.execute(
                "select granted, used_seconds from kernel.take_allowance('model', 'k', %s, %s, %s, %s)",
                (wanted, returned, INTERVAL, burst),
            ).fetchone()
            assert told is not None
            granted, used = model.take(wanted, returned)
            assert told[0] == granted
            assert told[1] == pytest.approx(used * INTERVAL, abs=INTERVAL / 100)
        connection.rollback()
