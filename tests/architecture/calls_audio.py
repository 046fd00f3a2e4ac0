"""How the routes of audio and of files are called."""

from tests.architecture.calling import Stage, Told, at
from tests.world import World


async def keep_a_sound(world: World, stage: Stage) -> None:
    """A sound of Ada's, without bytes: nobody listens here."""
    [(audio_id,)] = world.sql(
        "with file as (insert into kernel.files (id, content_type, bytes, sha256, owner_id, created_at)"
        " values (gen_random_uuid(), 'audio/wav', 44, '', %s, now()) returning id)"
        " select id from file",
        stage.ada.id,
    )
    world.sql("insert into sidechain.audio values (%s, %s, 1, 44100, 2, '', now())", audio_id, stage.ada.id)
    stage.ids["audio"] = str(audio_id)


AUDIO = "/api/v1/audio"
AUDIO_CALLS: dict[tuple[str, str], Told] = {
    ("POST", f"{AUDIO}/upload"): Told(at(f"{AUDIO}/upload", {}), 415),
    ("GET", f"{AUDIO}/{{audio_id}}"): Told(at(f"{AUDIO}/{{audio}}"), others=404, before=keep_a_sound),
    ("DELETE", f"{AUDIO}/{{audio_id}}"): Told(at(f"{AUDIO}/{{audio}}"), 204, others=404, before=keep_a_sound),
    ("GET", "/files/{file_id}"): Told(at("/files/{audio}"), 404, before=keep_a_sound),
}
