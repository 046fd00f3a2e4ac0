"""Batches that arrive at the same time, on two nodes: each occurrence counted once, in one row."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from typing import Any

from tests.apps.sidechain.reporting import BATCH, ERRORS, entry, new_word
from tests.conftest import serving, settings_for_tests
from tests.world import Person, World

PEOPLE, BATCHES, MESSAGES = 4, 16, 12


def deadlocks(world: World) -> int:
    """How often the database had to end somebody's waiting in a circle."""
    return world.sql("select deadlocks from pg_stat_database where datname = current_database()")[0][0]


async def test_parallel_batches_are_exact(dsn: str) -> None:
    """The same errors in different orders, resolved and reopened meanwhile: one row each, nothing lost."""
    chance = random.Random(6)
    words = [new_word() for _ in range(MESSAGES)]
    sent: Counter[tuple[str, str]] = Counter()
    entries = merged = 0
    async with (
        serving(settings_for_tests(), dsn) as one,
        serving(settings_for_tests(), dsn) as two,
    ):
        people = [await one.person("plugin") for _ in range(PEOPLE)]
        mo = await one.person("mo", role="moderator")
        before = deadlocks(one)

        async def send(person: Person) -> None:
            nonlocal entries, merged
            chosen = [chance.choice(words) for _ in range(chance.randint(1, 2 * MESSAGES))]
            batch = [entry(f"{word} {chance.random()}", occurrences=chance.randint(1, 9)) for word in chosen]
            node = replace(person, world=chance.choice((one, two)))
            answer = await node.post(BATCH, json={"errors": batch})
            assert answer.status_code == 200, answer.text
            entries += answer.json()["recorded"]
            merged += answer.json()["merged"]
            for report in batch:
                sent[person.id, report["message"].split()[0]] += report["occurrences"]

        async def resolve() -> None:
            found = (await mo.get(f"{ERRORS}/groups?q={chance.choice(words)}")).json()["items"]
            own: list[Any] = (await people[0].get(f"{ERRORS}?limit=5")).json()["items"]
            paths = [f"/groups/{group['id']}" for group in found] + [f"/{row['id']}" for row in own]
            for path in chance.sample(paths, len(paths)):
                body = {"resolved": chance.random() < 0.7}
                answer = await replace(mo, world=two).put(f"{ERRORS}{path}/resolved", json=body)
                assert answer.status_code == 200, answer.text

        work = [send(person) for person in people for _ in range(BATCHES)] + [resolve() for _ in range(8)]
        chance.shuffle(work)
        await asyncio.gather(*work)
        ids = [person.id for person in people]
        found = one.sql(
            """
            select e.user_id, split_part(m.message, ' ', 1), e.occurrences, cardinality(e.samples) <= 5,
                   e.occurrences = (
                       select sum(h.occurrences) from sidechain.error_hours h where h.error_id = e.id
                   )
            from sidechain.errors e join sidechain.error_messages m on m.error_id = e.id
            where e.user_id = any(%s::uuid[])
            """,
            ids,
        )
        groups = one.sql(
            "select split_part(message, ' ', 1), users, occurrences from sidechain.error_groups"
            " where split_part(message, ' ', 1) = any(%s)",
            words,
        )
        circles = deadlocks(one) - before
    print(
        f"{len(people) * BATCHES} batches on two nodes: {entries} entries, {merged} merged, {len(found)}"
        f" rows, {sum(sent.values())} occurrences, {circles} deadlocks"
    )
    assert {(str(user_id), word): count for user_id, word, count, *_ in found} == sent
    assert len(found) == len(sent)
    assert all(few and adds_up for *_, few, adds_up in found)
    assert entries - merged == len(found)
    assert {word: (users, count) for word, users, count in groups} == {
        word: (
            len({user_id for user_id, said in sent if said == word}),
            sum(count for (_, said), count in sent.items() if said == word),
        )
        for word in {said for _, said in sent}
    }
    assert circles == 0
