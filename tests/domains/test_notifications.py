"""Notifications: what somebody is told of others, how it reads, and reading it."""

from uuid import uuid4

import pytest
from tests.domains.notifying import LIKED, PATH, do, listed, read, remove, texts, undo
from tests.world import World, code_of

from quintet.domains.notifications import KINDS, Kind, register
from quintet.domains.notifications.upkeep import remove_old


async def test_a_deed_is_told_ready_to_show(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    post = str(uuid4())
    await do(ben, ada, object_id=post, post_text="Night drive", post_id=post)
    [item] = await listed(ada)
    at = item["created_at"]
    assert at.endswith("Z")
    assert item == {
        "id": item["id"],
        "kind": LIKED,
        "object_id": post,
        "title": "New like",
        "text": f"{ben.username} liked your post: “Night drive”",
        "actors": [{"id": ben.id, "username": ben.username, "display_name": ben.username}],
        "actor_count": 1,
        "data": {"post_text": "Night drive", "post_id": post},
        "read": False,
        "read_at": None,
        "created_at": at,
        "updated_at": at,
    }
    assert await listed(ben) == []


async def test_every_kind_reads_like_a_sentence(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    given = {
        "new_comment": {"comment_text": "wow"},
        "new_reaction": {"emoji": "🔥"},
        "channel_added": {"channel_name": "{actors} & sons"},
        "mention": {"text": "x" * 300},
    }
    for kind in KINDS:
        if kind != "announcement":
            await do(ben, ada, kind, **given.get(kind, {}))
    for text in (said := await texts(ada)):
        assert text.startswith(f"{ben.username} ")
    assert f"{ben.username} added you to {{actors}} & sons" in said, "what people write is no template"
    assert f"{ben.username} reacted to your post: “🔥”" in said
    assert any(text.endswith(f"{'x' * 199}…”") for text in said)


async def test_callers_mistakes_are_bugs(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    for kind in ("no_such_kind", "channel_added"):  # the second lacks its channel's name
        with pytest.raises(LookupError):
            await do(ben, ada, kind)
    register(LIKED, KINDS[LIKED])
    with pytest.raises(AssertionError):
        register(LIKED, Kind("Other", "{actors} did other things"))
    assert await listed(ada) == []


async def test_nobody_is_notified_of_their_own_deeds(world: World) -> None:
    ada = await world.person("ada")
    await do(ada, ada)
    await undo(ada, ada)
    assert await listed(ada) == []


async def test_reading_one_begins_a_new_one(world: World) -> None:
    ada, ben, cleo = [await world.person(name) for name in ("ada", "ben", "cleo")]
    await do(ben, ada, object_id="p")
    [item] = await listed(ada)
    first = await read(ada, item)
    assert first == {**item, "read": True, "read_at": first["read_at"]}
    assert await read(ada, item) == first, "again is the same"
    await do(cleo, ada, object_id="p")
    assert await texts(ada) == [f"{cleo.username} liked your post", f"{ben.username} liked your post"]
    assert await texts(ada, "&unread=true") == [f"{cleo.username} liked your post"]
    assert len(await listed(ada, "&unread=false")) == 2


async def test_reading_all(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    for number in range(3):
        await do(ben, ada, object_id=str(number))
    assert (await ada.put(f"{PATH}/read-all")).json() == {"read": 3}
    assert (await ada.put(f"{PATH}/read-all")).json() == {"read": 0}
    assert await listed(ada, "&unread=true") == []
    assert [item["read"] for item in await listed(ada)] == [True] * 3


async def test_anothers_and_missing_look_alike(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    await do(ben, ada)
    [item] = await listed(ada)
    answers = [await ben.put(f"{PATH}/{id_}/read") for id_ in (item["id"], uuid4())]
    assert [code_of(answer) for answer in answers] == [(404, "not_found")] * 2
    assert answers[0].json().keys() == answers[1].json().keys()
    assert [item["read"] for item in await listed(ada)] == [False]


async def test_what_is_wrong_with_a_request(world: World) -> None:
    ada = await world.person("ada")
    for query, due in (
        ("unread=maybe", (422, "invalid_request")),
        ("limit=0", (422, "invalid_request")),
        ("cursor=x", (400, "invalid_cursor")),
    ):
        assert code_of(await ada.get(f"{PATH}?{query}")) == due
    for number in range(3):
        await do(await world.person(), ada, object_id=str(number))
    cursor = (await ada.get(f"{PATH}?limit=1")).json()["next_cursor"]
    assert code_of(await ada.get(f"{PATH}?unread=true&cursor={cursor}")) == (400, "invalid_cursor")


async def test_what_is_withdrawn_or_removed_goes(world: World) -> None:
    ada, ben, cleo = [await world.person(name) for name in ("ada", "ben", "cleo")]
    for kind in (LIKED, "new_comment", "mention"):
        await do(ben, ada, kind, object_id=f"post-{ada.id}", comment_text="secret", text="secret")
    await do(ben, ada, object_id="another")
    await do(ben, cleo, "mention", object_id=f"post-{ada.id}")
    await undo(ben, ada, object_id=f"post-{ada.id}")
    assert len(await listed(ada)) == 3
    await remove(world, f"post-{ada.id}")
    assert [item["object_id"] for item in await listed(ada)] == ["another"]
    assert await listed(cleo) == []


async def test_a_person_who_goes_is_counted_no_more(world: World) -> None:
    ada, ben, cleo = [await world.person(name) for name in ("ada", "ben", "cleo")]
    for person in (ben, cleo):
        await do(person, ada, object_id="p")
    world.sql("delete from accounts.users where id = %s", cleo.id)
    assert await texts(ada) == [f"{ben.username} liked your post"]
    world.sql("delete from accounts.users where id = %s", ben.id)
    assert await listed(ada) == []


async def test_nobody_keeps_more_than_a_thousand(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    world.sql(
        "insert into notifications.notifications (id, user_id, kind, object_id, created_at, updated_at)"
        " select gen_random_uuid(), %s, 'mention', n::text, at, at"
        " from generate_series(1, 1000) n, lateral (select now() - n * interval '1 s') moment(at)",
        ada.id,
    )
    for object_id in ("one", "two", "two"):
        await do(ben, ada, object_id=object_id)
    newest = world.sql(
        "select object_id from notifications.notifications where user_id = %s order by updated_at desc",
        ada.id,
    )
    assert [one for (one,) in newest] == ["two", "one", *(str(number) for number in range(1, 999))]


async def test_what_is_old_goes(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    for object_id in ("old", "older", "young"):
        await do(ben, ada, object_id=object_id)
    world.sql(
        "update notifications.notifications set updated_at = now() - interval '90 days 1 minute'"
        " where user_id = %s and object_id like 'old%%'",
        ada.id,
    )
    await remove_old(world.kernel.database, world.clock.now(), 1)
    assert [item["object_id"] for item in await listed(ada)] == ["young"]


async def test_answers_carry_the_rooms_seq_and_a_tag(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    for _ in range(3):
        await do(ben, ada)
    for path in (PATH, f"{PATH}/count"):
        answer = await ada.get(path)
        assert answer.headers["room-seq"] == f"{world.kernel.epoch}:3"
        again = await ada.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
