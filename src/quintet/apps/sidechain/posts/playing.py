"""Playing: told to those around a post, and counted.

Invariant: it is told after the commit, and a request that is repeated under its key tells nothing again.
"""

from uuid import UUID

from quintet.apps.sidechain.posts import access, deeds
from quintet.apps.sidechain.posts.model import Played, Standing
from quintet.apps.sidechain.posts.telling import around
from quintet.domains.accounts import Account, accounts_of
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call
from quintet.kernel.http.call import Kernel
from quintet.kernel.live import transient


async def start_playing(request: Call, post_id: UUID) -> Answer[Played]:
    """Count a play, and tell of it."""
    done: list[tuple[Standing, Account]] = []

    async def act(tx: Tx) -> Answer[Played]:
        done.clear()  # of an attempt that was run anew
        played, post, own = await deeds.count_play(tx, request.actor, post_id)
        done.append((post, own))
        return Answer(played)

    answer = await request.write(act)
    for post, own in done:
        _tell(request.kernel, "playback_started", post, own)
    return answer


async def stop_playing(request: Call, post_id: UUID) -> Answer[None]:
    """Tell that it is over."""
    async with request.read() as tx:
        post = await access.post_to_see(tx, request.actor, post_id)
        own = (await accounts_of(tx, [request.actor.id]))[0]
    _tell(request.kernel, "playback_stopped", post, own)
    return Answer(None)


def _tell(kernel: Kernel, kind: str, post: Standing, own: Account) -> None:
    transient.tell(
        kernel,
        around(post.user_id, post.channel_id, own.id),
        kind,
        own.id,
        post_id=post.id,
        channel_id=post.channel_id,
        user_id=own.id,
        username=own.username,
        display_name=own.display_name,
        at=kernel.clock.now(),
    )
