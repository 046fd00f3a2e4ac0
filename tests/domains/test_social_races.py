"""Follow, block and privacy at the same time, on two nodes: no follow across a block, every counter exact."""

import asyncio
import random
from dataclasses import replace

from tests.conftest import serving, settings_for_tests
from tests.world import Person

ROUNDS = 6


async def test_nothing_gets_past_a_block(dsn: str) -> None:
    chance = random.Random(4)
    answers: dict[int, int] = {}
    async with serving(settings_for_tests(), dsn) as one, serving(settings_for_tests(), dsn) as two:
        people = [await one.person("racer") for _ in range(4)]
        ids = [person.id for person in people]
        doubles = [replace(person, world=two) for person in people]

        async def act(person: Person, other: Person, verb: str) -> None:
            if verb in {"POST", "DELETE"}:
                answer = await person.call(verb, f"/social/follow/{other.id}")
            elif verb in {"PUT", "UNBLOCK"}:
                method = "PUT" if verb == "PUT" else "DELETE"
                answer = await person.call(method, f"/api/v1/users/{other.username}/block")
            elif verb == "answer":
                waiting = (await person.get("/api/v1/follow-requests")).json()["items"]
                if not waiting:
                    return
                answer = await person.post(f"/api/v1/follow-requests/{waiting[0]['id']}/accept")
            else:
                answer = await person.patch("/social/me", json={"private": verb == "close"})
            answers[answer.status_code] = answers.get(answer.status_code, 0) + 1

        verbs = ("POST", "POST", "POST", "DELETE", "PUT", "UNBLOCK", "UNBLOCK", "answer", "close", "open")
        for _ in range(ROUNDS):
            pairs = [chance.sample(range(4), 2) for _ in range(40)]
            await asyncio.gather(
                *(act(chance.choice((people, doubles))[a], people[b], chance.choice(verbs)) for a, b in pairs)
            )
            wrong = one.sql(
                "select f.follower_id as id from social.follows f join social.blocks_between b"
                " on b.user_id = f.follower_id and b.other_id = f.followee_id"
                " union all select r.requester_id from social.follow_requests r join social.blocks_between b"
                " on b.user_id = r.requester_id and b.other_id = r.owner_id"
                " union all select r.requester_id from social.follow_requests r join social.follows f"
                " on f.follower_id = r.requester_id and f.followee_id = r.owner_id"
                " union all select r.requester_id from social.follow_requests r join social.privacy p"
                " on p.user_id = r.owner_id and not p.is_private"
            )
            assert [id_ for (id_,) in wrong if str(id_) in ids] == []
            assert one.sql(
                "select user_id from social.profiles p where user_id = any(%s)"
                " and (followers, following) <> ("
                " (select count(*) from social.follows f where f.followee_id = p.user_id),"
                " (select count(*) from social.follows f where f.follower_id = p.user_id))",
                ids,
            ) == []  # fmt: skip
    print(f"{ROUNDS * 40} follows, blocks and closings on two nodes: {answers}, no follow across a block")
    assert set(answers) <= {200, 204, 404}
    assert answers[200] > 20
    assert answers[204] > 20
