"""What the live connection does beside the requests: look after sockets, find gaps, hear other nodes."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from quintet.kernel import json
from quintet.kernel.actor import Actor
from quintet.kernel.live import presence_queries
from quintet.kernel.live.reviewing import keep_reviewing
from quintet.kernel.live.wakeups import Wakeup
from quintet.kernel.refusals import Unavailable
from quintet.kernel.telemetry import get_logger

if TYPE_CHECKING:
    from quintet.kernel.http.call import Kernel

LOOK_SECONDS: Final = 0.8  # a lost wake-up, and a session that was ended, are found within a second
BEAT_SECONDS: Final = 2.0
DRAIN_SECONDS: Final = 4.0  # the longest that closing everybody is spread over
DRAIN_PER_SECOND: Final = 500
RESTARTING: Final = 1012
NOT_SIGNED_IN: Final = 4401


def connect(kernel: "Kernel") -> None:
    """Have what other nodes tell reach the rooms, the lists of people, the counts and the hot answers."""

    def hear(wakeup: Wakeup) -> None:
        for room, seq in wakeup.seqs.items():
            kernel.hub.notice(room, seq)
        for room, text, author_id in wakeup.says:
            kernel.hub.say(room, text.encode(), author_id)
        kernel.presence.look_at(wakeup.presence)
        kernel.counts.note(wakeup.counts)

    kernel.hub.on_notice.append(kernel.hot.notice)
    kernel.wakeups.on_wakeup.append(hear)


async def look_after_members(kernel: "Kernel") -> None:
    """Pings, silence, slow readers, tokens running out."""
    while True:
        now = kernel.clock.monotonic()
        for member in list(kernel.hub.members):
            try:
                member.look_after(now)
            except Exception as error:  # noqa: BLE001 (a bug met at one member may not cost the others theirs)
                get_logger().error("bug", message="look_after", exc_info=error)
        kernel.metrics.take_live(figures_of(kernel))
        await asyncio.sleep(LOOK_SECONDS)


async def look_for_gaps(kernel: "Kernel") -> None:
    """Find what no wake-up told of."""
    while True:
        await kernel.hub.look()
        await asyncio.sleep(LOOK_SECONDS)


async def end_with_sessions(kernel: "Kernel") -> None:
    """Close the sockets and streams whose session has ended, or whose user's role has changed."""
    while True:
        actors: list[Actor] = [one.actor for one in kernel.hub.members if one.actor is not None]
        roles = {actor.session_id: actor.role for actor in actors}
        ended = await kernel.authenticate.ended(roles) if roles else set()
        for member in list(kernel.hub.members) if ended else ():
            if member.actor is not None and member.actor.session_id in ended:
                member.close(NOT_SIGNED_IN, "the session has ended")
        await asyncio.sleep(LOOK_SECONDS)


async def keep_beating(kernel: "Kernel") -> None:
    """Say that this node is alive, and take over from those that are not."""
    wakeups, presence = kernel.wakeups, kernel.presence
    while True:
        async with kernel.database.statement() as tx:
            is_new = await presence_queries.beat(
                tx, wakeups.node_id, json.encode(figures_of(kernel)).decode()
            )
            rooms = await presence_queries.bury_the_dead(tx)
            others = await presence_queries.others(tx, wakeups.node_id)
        if is_new:
            presence.write_all()
        if rooms:
            presence.look_at(rooms)
            wakeups.tell_presence(rooms)
        if bool(others) == wakeups.is_alone:
            wakeups.is_alone = not others
            if others:
                wakeups.greet()
        await asyncio.sleep(BEAT_SECONDS)


async def send_wakeups(kernel: "Kernel") -> None:
    """Tell the other nodes what happened here."""
    await kernel.wakeups.keep_sending()


async def hear_wakeups(kernel: "Kernel") -> None:
    """Hear what happened on the other nodes."""
    await kernel.wakeups.keep_listening()


async def tell_presence(kernel: "Kernel") -> None:
    """Write down and tell who is there."""
    await kernel.presence.keep_telling()


async def tell_counts(kernel: "Kernel") -> None:
    """Tell the numbers that changed."""
    await kernel.counts.keep_telling()


WORK: Final[tuple[Callable[[Any], Awaitable[None]], ...]] = (
    keep_beating,
    look_after_members,
    look_for_gaps,
    keep_reviewing,
    end_with_sessions,
    send_wakeups,
    hear_wakeups,
    tell_presence,
    tell_counts,
)


def figures_of(kernel: "Kernel") -> dict[str, int]:
    """What this node's live connection is doing and has done."""
    hub = kernel.hub
    return {
        "connections": hub.figures.connections,
        "users_online": kernel.presence.users_here,
        "rooms": sum(bool(room.members) for room in hub.rooms.values()),
        "messages_in": hub.figures.messages_in,
        "messages_out": hub.figures.messages_out,
        "shed_readers": hub.figures.shed_readers,
        "replays": hub.figures.replays,
        "resets": hub.figures.resets,
    }


async def drain(kernel: "Kernel") -> None:
    """Close everybody, spread over a few seconds, so that they do not all come back at once."""
    members = list(kernel.hub.members)
    random.shuffle(members)
    seconds = min(DRAIN_SECONDS, len(members) / DRAIN_PER_SECOND)
    begun = kernel.clock.monotonic()
    for index, member in enumerate(members):
        due = begun + seconds * index / len(members)
        if (wait := due - kernel.clock.monotonic()) > 0:
            await asyncio.sleep(wait)
        member.close(RESTARTING, "restarting")
    for member in list(kernel.hub.members):  # who came while the others went
        member.close(RESTARTING, "restarting")


async def take_leave(kernel: "Kernel") -> None:
    """The last thing: nobody is connected here any more."""
    with suppress(Unavailable):  # the others will notice the silence
        await kernel.presence.write()
        async with kernel.database.statement() as tx:
            await presence_queries.remove_node(tx, kernel.wakeups.node_id)
