"""How the routes of Marquee's rankings are called."""

from uuid import uuid4

from tests.architecture.calling import WHISPERED, Made, Stage, Told, at
from tests.world import World


async def rank_it(world: World, stage: Stage) -> None:
    """A ranking of Ada's, with a note on it; and a film that nobody has ranked."""
    stage.ids["film_id"], ranked = f"film-{uuid4()}", f"film-{uuid4()}"
    world.sql(
        "insert into catalogue.works (id, kind, title, created_at, updated_at)"
        " select id, 'film', 'Heat', now(), now() from unnest(%s::text[]) as w(id)",
        [stage.ids["film_id"], ranked],
    )
    answer = await stage.ada.post("/rankings", json={"media_id": ranked, "tier": "A", "note": WHISPERED})
    assert answer.status_code == 201, answer.text
    stage.ids["ranking_id"] = answer.json()["id"]


async def rank_aloud(world: World, stage: Stage) -> None:
    """The same without the note, for a list that others may read."""
    await rank_it(world, stage)
    world.sql("update marquee.user_rankings set note = null where user_id = %s", stage.ada.id)


async def import_it(world: World, stage: Stage) -> None:
    """An import of Ada's that has ended, and nobody's under way."""
    world.sql("update marquee.imports set ended_at = now()")
    stage.ids["import_id"] = str(uuid4())
    world.sql(
        "insert into marquee.imports (id, user_id, kind, total, done, skips, skipped, created_at, updated_at,"
        " ended_at) values (%s, %s, 'marquee', 0, 0, '[]', 0, now(), now(), now())",
        stage.ids["import_id"],
        stage.ada.id,
    )


RANKING = "/rankings/{ranking_id}"
RANKING_CALLS: dict[tuple[str, str], Told] = {
    ("GET", "/rankings/me"): Told(at("/rankings/me"), before=rank_it),
    ("GET", "/rankings/of/{user_id}"): Told(
        lambda stage: Made(f"/rankings/of/{stage.ada.id}"), before=rank_aloud
    ),
    ("POST", "/rankings"): Told(
        lambda stage: Made("/rankings", {"media_id": stage.ids["film_id"], "tier": "S"}), 201, before=rank_it
    ),
    ("GET", "/rankings/me/export"): Told(at("/rankings/me/export"), before=rank_it),
    ("POST", "/rankings/import"): Told(at("/rankings/import", {}), 415),  # without a form nothing is read
    ("GET", "/rankings/imports/{import_id}"): Told(
        at("/rankings/imports/{import_id}"), others=404, before=import_it
    ),
    ("POST", "/rankings/compare"): Told(
        lambda stage: Made("/rankings/compare", {"media_id": stage.ids["film_id"], "tier": "S"}),
        before=rank_it,
    ),
    ("GET", RANKING): Told(at(RANKING), others=404, before=rank_it),
    ("PATCH", RANKING): Told(at(RANKING, {"note": "mine"}), others=404, before=rank_it),
    ("PATCH", f"{RANKING}/move"): Told(at(f"{RANKING}/move", {"rank": 1}), others=404, before=rank_it),
    ("DELETE", RANKING): Told(at(RANKING), 204, others=404, before=rank_it),
}
