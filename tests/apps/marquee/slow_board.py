"""The leaderboard counted slowly: from every ranking there is, by the words of the contract."""

from collections import Counter, defaultdict
from datetime import UTC, timedelta
from typing import Any

from tests.world import Person, World

MIDDLE = {"S": 9.5, "A": 8.5, "B": 7.5, "C": 6.5, "D": 3.0}
M, C = 10.0, 6.5
ASKED_FOR = "day > now() - interval '35 days'"  # older days are removed, now or later
Board = list[tuple[str, float, int]]


def slow_board(
    world: World,
    viewer: Person | None,
    *,
    of: str = "media",
    media_type: str | None = None,
    genre: str | None = None,
    period: str = "all",
    scope: str = "everyone",
) -> Board:
    """Ids with score and count, in their order."""
    private = {id_ for (id_,) in world.sql("select user_id::text from social.privacy where is_private")}
    pairs = world.sql("select follower_id::text, followee_id::text from social.follows")
    followed = {b for a, b in pairs if viewer and a == viewer.id}
    blocks = world.sql("select user_id::text, other_id::text from social.blocks_between")
    hidden = {b for a, b in blocks if viewer and a == viewer.id}
    own = {viewer.id} if viewer else set[str]()
    today = world.clock.now().astimezone(UTC).date()
    first = {"week": today - timedelta(days=6), "month": today - timedelta(days=29)}.get(period)
    given: dict[str, list[str]] = defaultdict(list)
    for user, media, tier, made, kind, genres in world.sql(
        "select r.user_id::text, r.media_id, r.tier, r.created_at, m.media_type, m.genres"
        " from marquee.user_rankings r left join catalogue.media m on m.id = r.media_id"
    ):
        if kind is None and (of == "media" or media_type or genre):
            continue  # no film or play any more: only how much somebody ranked still counts it
        if (media_type and kind != media_type) or (
            genre and genre.lower() not in [one.lower() for one in genres]
        ):
            continue
        if first and not first <= made.astimezone(UTC).date() <= today:
            continue
        if scope == "following" and user not in followed:
            continue
        if scope == "everyone" and of == "media" and user in private:
            continue
        if (
            scope == "everyone"
            and of == "users"
            and (user in hidden or (user in private and user not in followed | own))
        ):
            continue
        given[media if of == "media" else user].append(tier)
    if of == "users":
        return sorted(((id_, len(one), len(one)) for id_, one in given.items()), key=_order)
    return sorted(
        (
            (id_, (M * C + sum(MIDDLE[tier] for tier in tiers)) / (M + len(tiers)), len(tiers))
            for id_, tiers in given.items()
        ),
        key=_order,
    )


def _order(place: tuple[str, float, int]) -> tuple[float, int, str]:
    return -place[1], -place[2], place[0]


async def told_board(world: World, viewer: Person | None, limit: int = 100, **asked: Any) -> Board:
    """The same as the server tells it, page after page."""
    caller = viewer or world
    places: Board = []
    cursor: str | None = None
    while True:
        params = {name: value for name, value in asked.items() if value is not None}
        params |= {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = await caller.get("/social/leaderboard", params=params)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["prior"] == {"m": M, "c": C}
        thing = "media" if asked.get("of", "media") == "media" else "user"
        places += [(item[thing]["id"], item["score"], item["count"]) for item in body["items"]]
        cursor = body["next_cursor"]
        if cursor is None:
            return places
        assert len(body["items"]) == limit


def check_counters(world: World) -> None:
    """The counters are those that a recount from the rankings makes; none is negative."""
    statements = (
        "select media_id, s, a, b, c, d, score from marquee.media_counts where rankings <> 0",
        f"select * from marquee.media_days where (s, a, b, c, d) <> (0, 0, 0, 0, 0) and {ASKED_FOR}",
        "select k.* from marquee.rankers k join accounts.people p on p.id = user_id where titles <> 0",
        f"select day, user_id, titles from marquee.ranker_days where titles <> 0 and {ASKED_FOR}",
    )
    kept = [Counter(world.sql(statement)) for statement in statements]
    world.sql("select marquee.recount_rankings()")
    for statement, counted in zip(statements, kept, strict=True):
        anew = Counter(world.sql(statement))
        assert (counted - anew, anew - counted) == ({}, {}), statement
