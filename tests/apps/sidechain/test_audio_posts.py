"""Sounds of posts: seen with them, kept as long as one has them, gone with the last."""

import asyncio
import io
from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.apps.sidechain.uploading import path_of, stored
from tests.world import Person, World, code_of

from quintet.apps.sidechain.audio import queries
from quintet.apps.sidechain.audio.model import AudioId, AudioRow
from quintet.apps.sidechain.audio.sweeping import remove_loose
from quintet.kernel.actor import UserId
from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx
from quintet.kernel.files.keeping import Arrival
from quintet.kernel.files.sweeping import sweep_some

POSTS = "/api/v1/posts"


async def kept(world: World, person: Person) -> str:
    """A sound of theirs with bytes of its own, though nobody listened to them."""
    files = world.kernel.files
    stored_as = await files.put(Arrival(io.BytesIO(b"la"), 2, b""))

    async def act(tx: Tx) -> None:
        owner = UserId(UUID(person.id))
        await files.add(tx, stored_as, "audio/wav", owner)
        await queries.add_audio(tx, AudioRow(AudioId(stored_as.id), 1, 44100, 2, bytes(200)), owner)

    await world.kernel.database.transact(act)
    return str(stored_as.id)


async def post(person: Person, audio_id: str, **more: Any) -> str:
    answer = await person.post(POSTS, json={"audio_id": audio_id, **more})
    assert answer.status_code == 201, answer.text
    assert answer.json()["audio"]["id"] == audio_id
    return answer.json()["id"]


def is_there(world: World, audio_id: str) -> bool:
    [(rows, files)] = world.sql(
        "select (select count(*) from sidechain.audio where id = %s),"
        " (select count(*) from kernel.files where id = %s)",
        audio_id,
        audio_id,
    )
    assert rows == files
    return rows == 1


def grow_old(world: World, audio_id: str) -> None:
    a_day = timedelta(days=1, seconds=1)
    world.sql(
        "update sidechain.audio set loose_since = %s where id = %s and loose_since is not null",
        Instant.at(world.kernel.clock.now() - a_day),
        audio_id,
    )


async def test_a_posts_sound_is_heard_by_who_sees_the_post(world: World) -> None:
    ada, ben, cleo = [await world.person(name) for name in ("ada", "ben", "cleo")]
    audio_id = await kept(world, ada)
    place = f"/api/v1/audio/{audio_id}"
    audio = (await ada.get(place)).json()
    post_id = await post(ada, audio_id)
    seen = (await ben.get(f"{POSTS}/{post_id}")).json()["audio"]
    assert seen == audio
    assert (await ben.get(place)).json() == audio
    assert (await world.get(path_of(world, seen["url"]))).content == b"la"
    await ada.put(f"/api/v1/users/{cleo.username}/block")
    assert code_of(await cleo.get(place)) == (404, "not_found")
    channel = (await ada.post("/api/v1/channels", json={"name": "Ours", "private": True})).json()
    hidden = await kept(world, ada)
    await post(ada, hidden, channel_id=channel["id"])
    assert code_of(await ben.get(f"/api/v1/audio/{hidden}")) == (404, "not_found")
    assert (await ada.get(f"/api/v1/audio/{hidden}")).status_code == 200
    assert code_of(await ben.post(POSTS, json={"audio_id": audio_id})) == (404, "not_found")


async def test_what_a_post_has_stays_until_the_last_post_goes(world: World) -> None:
    ada = await world.person("ada")
    audio_id = await kept(world, ada)
    first, second = await post(ada, audio_id), await post(ada, audio_id)
    assert code_of(await ada.delete(f"/api/v1/audio/{audio_id}")) == (409, "audio_in_use")
    grow_old(world, audio_id)
    await remove_loose(world.kernel)
    assert (await ada.delete(f"{POSTS}/{first}")).status_code == 204
    assert is_there(world, audio_id)
    assert (await ada.delete(f"{POSTS}/{second}")).status_code == 204
    assert not is_there(world, audio_id)


async def test_what_no_post_takes_within_a_day_is_removed(world: World) -> None:
    ada = await world.person("ada")
    old, new, used = [await kept(world, ada) for _ in range(3)]
    await post(ada, used)
    grow_old(world, old)
    grow_old(world, used)
    await remove_loose(world.kernel)
    assert [is_there(world, one) for one in (old, new, used)] == [False, True, True]
    world.sql("update kernel.file_leftovers set due_at = now() where is_doomed")
    while await sweep_some(world.kernel):
        pass
    lie = {path.rpartition("/")[2] for path in stored(world)}
    assert [one.replace("-", "") in lie for one in (old, new, used)] == [False, True, True]


async def test_an_account_takes_its_sounds_along(world: World) -> None:
    ada = await world.person("ada")
    loose, used = [await kept(world, ada) for _ in range(2)]
    await post(ada, used)
    await post(ada, used, text="again")
    world.sql("delete from accounts.users where id = %s", ada.id)
    assert not is_there(world, loose)
    assert not is_there(world, used)


async def test_a_channel_takes_its_sounds_along(world: World) -> None:
    ada = await world.person("ada")
    channel = (await ada.post("/api/v1/channels", json={"name": "Ours"})).json()["id"]
    audio_id = await kept(world, ada)
    await post(ada, audio_id, channel_id=channel)
    world.sql("delete from sidechain.posts where channel_id = %s", channel)  # as its clearing away does
    assert not is_there(world, audio_id)


async def test_races_end_with_a_sound_for_every_post(world: World) -> None:
    """Posting, removing, sweeping and deleting at once: no post without its sound, and no sound left."""
    ada = await world.person("ada")
    outcomes: list[int] = []
    for _ in range(8):
        audio_id = await kept(world, ada)
        first = await post(ada, audio_id)
        grow_old(world, audio_id)
        answers = await asyncio.gather(
            ada.post(POSTS, json={"audio_id": audio_id}),
            ada.delete(f"{POSTS}/{first}"),
            ada.delete(f"/api/v1/audio/{audio_id}"),
            remove_loose(world.kernel),
            ada.post(POSTS, json={"audio_id": audio_id}),
        )
        codes = [answer.status_code for answer in answers if answer is not None]
        assert set(codes) <= {201, 204, 404, 409}, [a.text for a in answers if a is not None]
        outcomes += codes
        posts = world.sql("select id from sidechain.posts where audio_id = %s", audio_id)
        assert len(posts) == codes.count(201)
        assert is_there(world, audio_id) == bool(posts)
        await asyncio.gather(*(ada.delete(f"{POSTS}/{one}") for (one,) in posts))
        assert not is_there(world, audio_id)
    print(f"8 sounds, {len(outcomes)} calls: {outcomes.count(201)} posted, 0 lost, 0 left")
