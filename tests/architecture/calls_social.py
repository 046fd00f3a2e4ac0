"""How the routes of following, the feed and the leaderboard are called."""

from tests.architecture.calling import Made, Stage, Told, at
from tests.world import World


async def meet_zoe(world: World, stage: Stage) -> None:
    """Somebody for everybody to follow."""
    if "zoe" not in stage.ids:
        zoe = await world.person("zoe")
        stage.ids |= {"zoe": zoe.id, "zoe_name": zoe.username}


async def ask_ada(world: World, stage: Stage) -> None:
    """Somebody waits for Ada's answer."""
    yan = await world.person("yan")
    [(request_id,)] = world.sql(
        "insert into social.follow_requests values (gen_random_uuid(), %s, %s, now()) returning id",
        yan.id,
        stage.ada.id,
    )
    stage.ids["request"] = str(request_id)


FOLLOW, NAMED = "/social/follow/{user_id}", "/api/v1/users/{username}"
REQUESTS = "/api/v1/follow-requests"
SOCIAL_CALLS: dict[tuple[str, str], Told] = {
    ("POST", FOLLOW): Told(at("/social/follow/{zoe}"), before=meet_zoe),
    ("DELETE", FOLLOW): Told(at("/social/follow/{zoe}"), 204, before=meet_zoe),
    ("POST", f"{NAMED}/follow"): Told(at("/api/v1/users/{zoe_name}/follow"), before=meet_zoe),
    ("DELETE", f"{NAMED}/follow"): Told(at("/api/v1/users/{zoe_name}/follow"), 204, before=meet_zoe),
    ("PUT", f"{NAMED}/block"): Told(at("/api/v1/users/{zoe_name}/block"), 204, before=meet_zoe),
    ("DELETE", f"{NAMED}/block"): Told(at("/api/v1/users/{zoe_name}/block"), 204, before=meet_zoe),
    ("GET", REQUESTS): Told(at(REQUESTS)),
    **{
        ("POST", f"{REQUESTS}/{{request_id}}/{verb}"): Told(
            at(f"{REQUESTS}/{{request}}/{verb}"), 204, others=404, before=ask_ada
        )
        for verb in ("accept", "decline")
    },
    ("GET", "/api/v1/blocks"): Told(at("/api/v1/blocks")),
    ("GET", "/social/me"): Told(at("/social/me")),
    ("PATCH", "/social/me"): Told(lambda _: Made("/social/me", {"private": False})),
    ("GET", "/social/followers"): Told(at("/social/followers")),
    ("GET", "/social/following"): Told(at("/social/following")),
    ("GET", "/social/feed"): Told(at("/social/feed")),
    ("GET", "/social/leaderboard"): Told(at("/social/leaderboard?period=week")),
}
