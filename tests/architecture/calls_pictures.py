"""How the routes of Marquee's pictures are called."""

from tests.architecture.calling import Stage, Told, at
from tests.world import World


async def share_it(world: World, stage: Stage) -> None:
    """Ada's list, shared; everybody else's as well, so that all callers find one of their own."""
    stage.ids["picture_id"] = (await stage.ada.put("/rankings/me/picture")).json()["id"]
    world.sql(
        "insert into marquee.pictures (user_id, id, created_at)"
        " select id, 'of ' || id, now() from accounts.users on conflict do nothing"
    )


PICTURE_CALLS: dict[tuple[str, str], Told] = {
    ("PUT", "/rankings/me/picture"): Told(at("/rankings/me/picture"), before=share_it),
    ("GET", "/rankings/me/picture"): Told(at("/rankings/me/picture"), before=share_it),
    ("DELETE", "/rankings/me/picture"): Told(at("/rankings/me/picture"), 204, before=share_it),
    **{
        ("GET", f"/pictures/{{picture_id}}/tiers.{form}"): Told(
            at(f"/pictures/{{picture_id}}/tiers.{form}"), before=share_it
        )
        for form in ("svg", "png")
    },
}
