"""How the routes of posts are called."""

from tests.architecture.calling import WHISPERED, Stage, Told, at
from tests.architecture.calls_channels import open_it
from tests.world import World


async def post_it(world: World, stage: Stage) -> None:
    """A post of Ada's in a private channel, with a comment of hers on it."""
    await open_it(world, stage)
    channel = stage.ids["channel_id"]
    made = await stage.ada.post(POSTS, json={"text": WHISPERED, "channel_id": channel})
    assert made.status_code == 201, made.text
    stage.ids["post_id"] = made.json()["id"]
    said = await stage.ada.post(f"{POSTS}/{stage.ids['post_id']}/comments", json={"text": WHISPERED})
    assert said.status_code == 201, said.text
    stage.ids["comment_id"] = said.json()["id"]


POSTS = "/api/v1/posts"
POST = f"{POSTS}/{{post_id}}"
REACTION = f"{POST}/reactions/{{emoji}}"
POST_CALLS: dict[tuple[str, str], Told] = {
    ("POST", POSTS): Told(at(POSTS, {"text": "First sketch", "key": "Am"}), 201),
    ("GET", POST): Told(at(POST), others=404, before=post_it),
    ("DELETE", POST): Told(at(POST), 204, others=404, staff=204, before=post_it),
    ("GET", "/api/v1/feed"): Told(at("/api/v1/feed"), before=post_it),
    ("GET", "/api/v1/channels/{channel_id}/posts"): Told(
        at("/api/v1/channels/{channel_id}/posts"), others=404, before=post_it
    ),
    ("GET", "/api/v1/users/{username}/posts"): Told(
        lambda stage: at(f"/api/v1/users/{stage.ada.username}/posts")(stage), before=post_it
    ),
    ("PUT", f"{POST}/like"): Told(at(f"{POST}/like"), others=404, before=post_it),
    ("DELETE", f"{POST}/like"): Told(at(f"{POST}/like"), others=404, before=post_it),
    ("PUT", REACTION): Told(at(f"{POST}/reactions/%F0%9F%94%A5"), others=404, before=post_it),
    ("DELETE", REACTION): Told(at(f"{POST}/reactions/%F0%9F%94%A5"), 204, others=404, before=post_it),
    ("GET", f"{POST}/comments"): Told(at(f"{POST}/comments"), others=404, before=post_it),
    ("POST", f"{POST}/comments"): Told(
        at(f"{POST}/comments", {"text": "Lovely"}), 201, others=404, before=post_it
    ),
    ("DELETE", "/api/v1/comments/{comment_id}"): Told(
        at("/api/v1/comments/{comment_id}"), 204, others=404, staff=204, before=post_it
    ),
    ("POST", f"{POST}/play"): Told(at(f"{POST}/play"), others=404, before=post_it),
    ("POST", f"{POST}/stop"): Told(at(f"{POST}/stop"), 204, others=404, before=post_it),
}
