"""The feed: one's own posts, those of whom one follows, and those in one's channels, by either look."""

import random

import pytest
from tests.apps.sidechain.cast import CHANNELS, all_pages, follow, open_channel, people, post
from tests.world import World, code_of

from quintet.apps.sidechain.posts import showing


@pytest.mark.parametrize("among", [1, 5, 300])
async def test_pages_are_the_slow_obvious_ones(
    world: World, monkeypatch: pytest.MonkeyPatch, among: int
) -> None:
    monkeypatch.setattr(showing, "AMONG", among)
    chance = random.Random(among)
    ben, *authors = await people(world, "ben", *["author"] * 5)
    for author in authors[:2]:
        await follow(ben, author)
    public = await open_channel(authors[0], *authors[1:])
    mine = await open_channel(authors[0], ben, *authors[1:], private=True)
    hidden = await open_channel(authors[0], *authors[1:], private=True)
    due: list[str] = []
    for _ in range(40):
        author, channel = chance.choice([ben, *authors]), chance.choice([None, public, mine, hidden])
        if author is ben and channel in {public, hidden}:
            channel = None
        made = await post(author, **({} if channel is None else {"channel_id": channel}))
        is_followed = author in authors[:2] or author is ben
        if channel == mine or (is_followed and channel in {None, public}):
            due.append(made)
    assert len(due) > 12
    order = [id_ for (id_,) in world.sql("select id::text from sidechain.posts where id = any(%s::uuid[])"
                                         " order by id desc", due)]  # fmt: skip
    for limit in (1, 4, 100):
        assert [one["id"] for one in await all_pages(ben, "/api/v1/feed", limit)] == order


async def test_a_page_hides_and_the_list_goes_on(world: World) -> None:
    """Posts in the channel of somebody whom a block hides: the page is shorter, nothing after it is lost."""
    ada, ben, cleo = await people(world, "ada", "ben", "cleo")
    await follow(ben, ada)
    theirs = await open_channel(cleo, ada)
    first = await post(ada)
    for _ in range(3):
        await post(ada, channel_id=theirs)
    last = await post(ada)
    assert len(await all_pages(ben, "/api/v1/feed", 2)) == 5
    assert (await cleo.put(f"/api/v1/users/{ben.username}/block")).status_code == 204
    for path in ("/api/v1/feed", f"/api/v1/users/{ada.username}/posts"):
        assert [one["id"] for one in await all_pages(ben, path, 1)] == [last, first]
    assert code_of(await ben.get(f"{CHANNELS}/{theirs}/posts")) == (404, "not_found")


async def test_reading_is_bounded(world: World) -> None:
    (ada,) = await people(world, "ada")
    for query in ("limit=0", "limit=101", "cursor=x"):
        assert (await ada.get(f"/api/v1/feed?{query}")).status_code in {400, 422}
    assert code_of(await world.get("/api/v1/feed")) == (401, "not_signed_in")
    assert code_of(await ada.get("/api/v1/users/nobody-at-all/posts")) == (404, "not_found")


async def test_a_feed_of_many_followed(world: World) -> None:
    """Five hundred people with four posts each, none among the newest of everybody."""
    (ben,) = await people(world, "ben")
    world.sql(
        "with made as (insert into accounts.users (id, username, username_skeleton, display_name)"
        " select gen_random_uuid(), name, name, name"
        " from (select 'feed' || gen_random_uuid() as name from generate_series(1, 500)) names"
        " returning id)"
        " insert into social.follows (follower_id, followee_id, since) select %s, id, now() from made",
        ben.id,
    )
    world.sql(
        "with made as (insert into sidechain.posts (id, user_id, is_open, text, created_at)"
        " select overlay(gen_random_uuid()::text placing '000' from 1 for 3)::uuid, followee_id, true, 'x',"
        " now()"
        " from social.follows, generate_series(1, 4) where follower_id = %s"
        " returning id)"
        " insert into sidechain.post_counts (post_id) select id from made",
        ben.id,
    )
    found = [one["id"] for one in await all_pages(ben, "/api/v1/feed", 100)]
    assert len(set(found)) == 2000
    assert found == sorted(found, reverse=True)
