"""How every route is called: an entry for each, and what strangers get of somebody else's."""

from tests.architecture.calling import WHISPERED, Made, Stage, Told, at
from tests.architecture.calls_audio import AUDIO_CALLS
from tests.architecture.calls_channels import CHANNEL_CALLS
from tests.architecture.calls_documents import DOCUMENT_CALLS
from tests.architecture.calls_errors import ERROR_CALLS
from tests.architecture.calls_media import MEDIA_CALLS
from tests.architecture.calls_notifications import NOTIFICATION_CALLS
from tests.architecture.calls_pictures import PICTURE_CALLS
from tests.architecture.calls_posts import POST_CALLS
from tests.architecture.calls_rankings import RANKING_CALLS
from tests.architecture.calls_social import SOCIAL_CALLS
from tests.world import World, mark


async def mark_again(world: World, stage: Stage) -> None:
    """A route that removes the mark needs one each time."""
    _ = world
    stage.wigg_id = (await mark(stage.ada, stage.title, 50, note=WHISPERED))["id"]


async def name_the_bank(world: World, stage: Stage) -> None:
    """A milestone of Ada's, there whoever removed it before."""
    _ = world
    body = {"pct": 30, "label": "The bank"}
    answer = await stage.ada.post(f"/api/titles/{stage.title}/milestones", json=body)
    stage.milestone_id = answer.json()["id"]


async def edit_again(world: World, stage: Stage) -> None:
    """A session of Ada's, and something done in it that can be undone, and something that can be redone."""
    _ = world
    started = await stage.ada.post(f"/api/titles/{stage.title}/edit-sessions")
    stage.edit_session_id = started.json()["id"]
    tokens: list[str] = []
    for index in (3, 4):
        painted = await stage.ada.patch(
            f"/api/titles/{stage.title}/segments/{index}/score",
            json={"score": 3, "paint_session_id": stage.edit_session_id},
        )
        tokens.append(painted.json()["undo_token"])
    undone = await stage.ada.post(f"/api/undo/{tokens[0]}")
    stage.undo_token, stage.redo_token = tokens[1], undone.json()["redo_token"]


async def capture_it(world: World, stage: Stage) -> None:
    """A capture of Ada's, not stopped."""
    _ = world
    body = {"title_id": stage.title, "mode": "manual"}
    stage.capture_id = (await stage.ada.post("/api/live-capture/start", json=body)).json()["id"]


async def stop_all(world: World, stage: Stage) -> None:
    """Nobody captures anything."""
    _ = stage
    world.sql("delete from wigg.captures")


async def unsubscribe_all(world: World, stage: Stage) -> None:
    """No browser is subscribed."""
    _ = stage
    world.sql("delete from wigg.push_subscriptions")


async def play_it(world: World, stage: Stage) -> None:
    """A player of Ada's, and something it plays that nobody knows; the only one, since a user has few."""
    world.sql("delete from wigg.players where user_id = %s", stage.ada.id)
    player = (await stage.ada.post(PLAYERS, json={})).json()
    stage.player_id, stage.secret = player["id"], player["secret"]
    await world.post(f"{PLAYERS}/generic/{stage.secret}", json={"event": "stop", "title": WHISPERED})
    stage.medium_id = (await stage.ada.get(f"{PLAYERS}/unmatched")).json()["items"][0]["id"]


async def unbind_it(world: World, stage: Stage) -> None:
    """The same, for a route that makes the medium wait no more."""
    world.sql("delete from wigg.player_media where user_id = %s", stage.ada.id)
    await play_it(world, stage)


async def make_room(world: World, stage: Stage) -> None:
    """A user has few players."""
    _ = stage
    world.sql("delete from wigg.players")


async def subscribe_it(world: World, stage: Stage) -> None:
    """A browser of Ada's."""
    _ = world
    body = SUBSCRIPTION | {"endpoint": "https://push.example.com/ada"}
    stage.subscription_id = (await stage.ada.post("/api/v1/push/subscriptions", json=body)).json()["id"]


TITLE = "/api/titles/{title_id}"
CAPTURE = "/api/live-capture"
PLAYERS = "/api/live-capture/players"
SUBSCRIPTION = {
    "endpoint": "https://push.example.com/somebody",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}
CALLS: dict[tuple[str, str], Told] = {
    ("GET", "/health/live"): Told(at("/health/live")),
    ("GET", "/health/ready"): Told(at("/health/ready")),
    ("GET", "/metrics"): Told(at("/metrics")),
    ("GET", "/.well-known/jwks.json"): Told(at("/.well-known/jwks.json")),
    ("GET", "/ws"): Told(at("/ws"), 426),
    ("POST", "/ws/ticket"): Told(at("/ws/ticket"), 201),
    ("GET", "/api/v1/websocket/metrics"): Told(at("/api/v1/websocket/metrics")),
    ("GET", "/openapi.json"): Told(at("/openapi.json")),
    ("GET", "/docs"): Told(at("/docs")),
    ("GET", "/stage/wigg"): Told(at("/stage/wigg")),
    ("GET", "/stage/wigg/{title_id}"): Told(at("/stage/wigg/{title_id}")),
    ("GET", "/stage/marquee"): Told(at("/stage/marquee")),
    ("GET", "/stage/sidechain"): Told(at("/stage/sidechain")),
    ("GET", "/stage/sidechain/errors"): Told(at("/stage/sidechain/errors")),
    ("GET", "/stage/static/{version}/{folder}/{name}"): Told(at("/stage/static/any/shared/live.js")),
    ("GET", "/api/titles"): Told(at("/api/titles?query=heat")),
    ("POST", "/api/titles"): Told(at("/api/titles", {"title": "Heat", "kind": "film"}), 201),
    ("GET", TITLE): Told(at(TITLE)),
    ("PATCH", TITLE): Told(at(TITLE, {"year": 1995}), others=403, staff=200),
    ("GET", f"{TITLE}/progress"): Told(at(f"{TITLE}/progress?segments=20")),
    ("GET", f"{TITLE}/t2g"): Told(at(f"{TITLE}/t2g")),
    ("GET", f"{TITLE}/t2g/stream"): Told(at(f"{TITLE}/t2g/stream")),
    ("GET", f"{TITLE}/t2g/history"): Told(at(f"{TITLE}/t2g/history")),
    ("GET", f"{TITLE}/milestones"): Told(at(f"{TITLE}/milestones")),
    ("POST", f"{TITLE}/milestones"): Told(
        at(f"{TITLE}/milestones", {"pct": 30, "label": "The bank"}), 200, before=name_the_bank
    ),
    ("POST", f"{TITLE}/milestones/import"): Told(
        at(f"{TITLE}/milestones/import", {"content": "51:00 The bank\n"})
    ),
    ("PATCH", f"{TITLE}/milestones/{{milestone_id}}"): Told(
        at(f"{TITLE}/milestones/{{milestone_id}}", {"icon": "fire"}),
        others=403,
        staff=200,
        before=name_the_bank,
    ),
    ("DELETE", f"{TITLE}/milestones/{{milestone_id}}"): Told(
        at(f"{TITLE}/milestones/{{milestone_id}}"), 204, others=403, staff=204, before=name_the_bank
    ),
    ("POST", f"{TITLE}/milestones/{{milestone_id}}/verify"): Told(
        at(f"{TITLE}/milestones/{{milestone_id}}/verify"), before=name_the_bank
    ),
    ("GET", f"{TITLE}/wiggs"): Told(at(f"{TITLE}/wiggs")),
    ("GET", f"{TITLE}/segments/cells"): Told(at(f"{TITLE}/segments/cells")),
    ("GET", "/api/milestone-icons"): Told(at("/api/milestone-icons")),
    ("POST", f"{TITLE}/wiggs"): Told(at(f"{TITLE}/wiggs", {"position_pct": 80}), 201),
    ("POST", f"{TITLE}/wiggs/batch"): Told(at(f"{TITLE}/wiggs/batch", {"wiggs": [{"position_pct": 90}]})),
    ("PATCH", f"{TITLE}/wiggs/{{wigg_id}}"): Told(
        at(f"{TITLE}/wiggs/{{wigg_id}}", {"rating": 2}), others=404
    ),
    ("DELETE", f"{TITLE}/wiggs/{{wigg_id}}"): Told(
        at(f"{TITLE}/wiggs/{{wigg_id}}"), others=404, before=mark_again
    ),
    ("POST", f"{TITLE}/edit-sessions"): Told(at(f"{TITLE}/edit-sessions"), 201),
    ("GET", f"{TITLE}/edit-sessions/{{session_id}}"): Told(
        at(f"{TITLE}/edit-sessions/{{edit_session_id}}"), others=404, before=edit_again
    ),
    ("POST", f"{TITLE}/edit-sessions/{{session_id}}/heartbeat"): Told(
        at(f"{TITLE}/edit-sessions/{{edit_session_id}}/heartbeat"), others=404, before=edit_again
    ),
    ("POST", f"{TITLE}/edit-sessions/{{session_id}}/end"): Told(
        at(f"{TITLE}/edit-sessions/{{edit_session_id}}/end"), others=404, before=edit_again
    ),
    ("PATCH", f"{TITLE}/segments/{{segment_index}}/score"): Told(
        at(f"{TITLE}/segments/3/score", {"score": 3})
    ),
    ("POST", f"{TITLE}/paint-batch"): Told(
        at(f"{TITLE}/paint-batch", {"operations": [{"segment_index": 1, "score": 2, "weight": 0.5}]})
    ),
    ("POST", "/api/undo/{undo_token}"): Told(at("/api/undo/{undo_token}"), others=404, before=edit_again),
    ("POST", "/api/redo/{redo_token}"): Told(at("/api/redo/{redo_token}"), others=404, before=edit_again),
    ("POST", f"{TITLE}/undo-session/{{session_id}}"): Told(
        at(f"{TITLE}/undo-session/{{edit_session_id}}"), others=404, before=edit_again
    ),
    ("GET", f"{TITLE}/actions"): Told(at(f"{TITLE}/actions")),
}
CALLS |= {
    ("GET", CAPTURE): Told(at(CAPTURE)),
    ("POST", f"{CAPTURE}/start"): Told(
        lambda stage: Made(f"{CAPTURE}/start", {"title_id": stage.title, "mode": "manual"}),
        201,
        before=stop_all,
    ),
    ("PUT", f"{CAPTURE}/{{capture_id}}/position"): Told(
        at(f"{CAPTURE}/{{capture_id}}/position", {"current_pct": 5}), others=404, before=capture_it
    ),
    **{
        ("POST", f"{CAPTURE}/{{capture_id}}/{verb}"): Told(
            at(f"{CAPTURE}/{{capture_id}}/{verb}"), others=404, before=capture_it
        )
        for verb in ("pause", "resume", "stop")
    },
    ("POST", f"{CAPTURE}/mark-wigg"): Told(
        lambda stage: Made(f"{CAPTURE}/mark-wigg", {"title_id": stage.title, "pct": 70}), 201
    ),
    ("POST", PLAYERS): Told(at(PLAYERS, {}), 201, before=make_room),
    ("GET", PLAYERS): Told(at(PLAYERS), before=play_it),
    ("DELETE", f"{PLAYERS}/{{player_id}}"): Told(
        at(f"{PLAYERS}/{{player_id}}"), 204, others=404, before=play_it
    ),
    ("GET", f"{PLAYERS}/unmatched"): Told(at(f"{PLAYERS}/unmatched"), before=play_it),
    ("POST", f"{PLAYERS}/unmatched/{{medium_id}}"): Told(
        lambda stage: Made(f"{PLAYERS}/unmatched/{stage.medium_id}", {"title_id": stage.title}),
        others=404,
        before=unbind_it,
    ),
    # Whoever knows the secret is the player; without a form Plex is not understood.
    ("POST", f"{PLAYERS}/plex/{{secret}}"): Told(at(f"{PLAYERS}/plex/{{secret}}", {}), 415, before=play_it),
    **{
        ("POST", f"{PLAYERS}/{name}/{{secret}}"): Told(
            at(f"{PLAYERS}/{name}/{{secret}}", {"event": "unknown"}), before=play_it
        )
        for name in ("jellyfin", "trakt", "kodi", "generic")
    },
    ("GET", "/api/v1/push/key"): Told(at("/api/v1/push/key")),
    ("POST", "/api/v1/push/subscriptions"): Told(
        at("/api/v1/push/subscriptions", SUBSCRIPTION), 201, before=unsubscribe_all
    ),
    ("DELETE", "/api/v1/push/subscriptions/{subscription_id}"): Told(
        at("/api/v1/push/subscriptions/{subscription_id}"), 204, others=404, before=subscribe_it
    ),
}
CALLS |= MEDIA_CALLS | RANKING_CALLS | SOCIAL_CALLS | PICTURE_CALLS
CALLS |= NOTIFICATION_CALLS | DOCUMENT_CALLS | CHANNEL_CALLS | POST_CALLS | AUDIO_CALLS | ERROR_CALLS
# Accounts come last, since they end sessions. They stand under two prefixes.
# Bodies that are refused early: what they do is tested elsewhere.
for prefix in ("/auth", "/api/v1/auth"):
    CALLS |= {
        ("POST", f"{prefix}/signup"): Told(at(f"{prefix}/signup", {"email": "no", "password": "no"}), 422),
        ("POST", f"{prefix}/register"): Told(
            at(f"{prefix}/register", {"email": "no", "password": "no"}), 422
        ),
        ("POST", f"{prefix}/login"): Told(at(f"{prefix}/login", {"password": "no"}), 422),
        ("POST", f"{prefix}/refresh"): Told(at(f"{prefix}/refresh", {"refresh_token": "no"}), 401),
        ("POST", f"{prefix}/logout"): Told(at(f"{prefix}/logout"), 204),
        ("GET", f"{prefix}/me"): Told(at(f"{prefix}/me")),
        ("GET", f"{prefix}/profile"): Told(at(f"{prefix}/profile")),
        ("POST", f"{prefix}/change-password"): Told(
            at(f"{prefix}/change-password", {"current_password": "x", "new_password": "short"}), 422
        ),
        ("GET", f"{prefix}/sessions"): Told(at(f"{prefix}/sessions")),
        ("DELETE", f"{prefix}/sessions"): Told(at(f"{prefix}/sessions"), 204),
        ("DELETE", f"{prefix}/sessions/{{session_id}}"): Told(
            at(f"{prefix}/sessions/{{session_id}}"), 204, others=404
        ),
    }
