"""How the routes of notifications are called."""

from tests.architecture.calling import Made, Stage, Told, at
from tests.world import World


async def notify_ada(world: World, stage: Stage) -> None:
    """Something waits for Ada to read it."""
    [(notification_id,)] = world.sql(
        "insert into notifications.notifications (id, user_id, kind, object_id, created_at, updated_at)"
        " values (gen_random_uuid(), %s, 'mention', gen_random_uuid()::text, now(), now()) returning id",
        stage.ada.id,
    )
    stage.ids["notification"] = str(notification_id)


PATH = "/api/v1/notifications"
NOTIFICATION_CALLS: dict[tuple[str, str], Told] = {
    ("GET", PATH): Told(at(PATH)),
    ("GET", f"{PATH}/count"): Told(at(f"{PATH}/count")),
    ("PUT", f"{PATH}/{{notification_id}}/read"): Told(
        at(f"{PATH}/{{notification}}/read"), others=404, before=notify_ada
    ),
    ("PUT", f"{PATH}/read-all"): Told(at(f"{PATH}/read-all")),
    ("POST", PATH): Told(
        lambda stage: Made(PATH, {"title": "Hello", "text": "Welcome.", "user_id": stage.ada.id}), 201
    ),
    ("GET", f"{PATH}/preferences"): Told(at(f"{PATH}/preferences")),
    ("PUT", f"{PATH}/preferences"): Told(
        lambda _: Made(f"{PATH}/preferences", {"preferences": {"mention": {"email": True}}})
    ),
}
