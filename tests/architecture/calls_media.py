"""How the routes of Marquee's media are called."""

from tests.architecture.calling import Stage, Told, at
from tests.world import World

STUB = {"title": "Die Physiker", "media_type": "PLAY", "year": 1962}


async def forget_stubs(world: World, stage: Stage) -> None:
    """Nothing looks like the stub."""
    _ = stage
    world.sql("delete from catalogue.works where title = %s", STUB["title"])


MEDIA_CALLS: dict[tuple[str, str], Told] = {
    ("GET", "/media/search"): Told(at("/media/search?q=heat")),
    ("GET", "/media/{media_id}"): Told(at("/media/{title_id}")),
    ("POST", "/media/create_stub"): Told(at("/media/create_stub", STUB), 201, before=forget_stubs),
}
