"""How the routes of channels are called."""

from tests.architecture.calling import WHISPERED, Stage, Told, at
from tests.world import World


async def open_it(world: World, stage: Stage) -> None:
    """A private channel of Ada's with somebody in it, and somebody else who could be."""
    if "yves" not in stage.ids:
        yves, zora = await world.person("yves"), await world.person("zora")
        stage.ids |= {"yves": yves.id, "zora": zora.id}
    made = await stage.ada.post(CHANNELS, json={"name": WHISPERED, "private": True})
    assert made.status_code == 201, made.text
    stage.ids["channel_id"] = made.json()["id"]
    added = await stage.ada.put(f"{CHANNELS}/{stage.ids['channel_id']}/members/{stage.ids['yves']}")
    assert added.status_code == 200, added.text


async def open_alone(world: World, stage: Stage) -> None:
    """The same without anybody else, for a leave."""
    await open_it(world, stage)
    await stage.ada.delete(f"{CHANNELS}/{stage.ids['channel_id']}/members/{stage.ids['yves']}")


async def make_room(world: World, stage: Stage) -> None:
    """Nobody is in any channel: everybody may be in so many only."""
    _ = stage
    world.sql("delete from sidechain.members")


CHANNELS = "/api/v1/channels"
CHANNEL = f"{CHANNELS}/{{channel_id}}"
CHANNEL_CALLS: dict[tuple[str, str], Told] = {
    ("POST", CHANNELS): Told(at(CHANNELS, {"name": "Mixes"}), 201, before=make_room),
    ("GET", CHANNELS): Told(at(f"{CHANNELS}?q=e"), before=open_it),
    ("GET", CHANNEL): Told(at(CHANNEL), others=404, before=open_it),
    ("PATCH", CHANNEL): Told(at(CHANNEL, {"name": "Mixes"}), others=404, before=open_it),
    ("DELETE", CHANNEL): Told(at(CHANNEL), 204, others=404, before=open_it),
    ("POST", f"{CHANNEL}/join"): Told(at(f"{CHANNEL}/join"), others=404, before=open_it),
    ("POST", f"{CHANNEL}/leave"): Told(at(f"{CHANNEL}/leave"), 204, others=404, before=open_alone),
    ("GET", f"{CHANNEL}/members"): Told(at(f"{CHANNEL}/members"), others=404, before=open_it),
    ("PUT", f"{CHANNEL}/members/{{user_id}}"): Told(
        at(f"{CHANNEL}/members/{{zora}}"), others=404, before=open_it
    ),
    ("DELETE", f"{CHANNEL}/members/{{user_id}}"): Told(
        at(f"{CHANNEL}/members/{{yves}}"), 204, others=404, before=open_it
    ),
}
