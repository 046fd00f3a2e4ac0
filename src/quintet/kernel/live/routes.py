"""The live connection's few HTTP routes: tickets, and figures for moderators."""

from collections import Counter

import msgspec

from quintet.kernel.actor import Access
from quintet.kernel.database import Tx
from quintet.kernel.http.answer import Answer
from quintet.kernel.http.call import Call
from quintet.kernel.http.routes import get, post
from quintet.kernel.live import presence_queries
from quintet.kernel.live.tickets import GOOD_SECONDS, give_ticket
from quintet.kernel.live.work import figures_of
from quintet.kernel.refusals import UpgradeRequired

_TAG = "Live connection"


class Ticket(msgspec.Struct, frozen=True):
    """What opens one socket or stream in the place of a token."""

    ticket: str
    expires_in: int = GOOD_SECONDS


class LiveMetrics(msgspec.Struct, frozen=True):
    """What the live connection does, on all nodes together."""

    connections: int
    users_online: int
    rooms: int
    messages_in: int
    messages_out: int
    shed_readers: int
    replays: int
    resets: int


@get("/ws", access=Access.PUBLIC, tag=_TAG, limited=False, reads_token=False, refusals=(UpgradeRequired,),
     summary="The live connection (WebSocket); see the protocol in the docs")  # fmt: skip
async def open_socket() -> Answer[None]:
    """Refuse what is no WebSocket handshake; those never come here."""
    raise UpgradeRequired


@post("/ws/ticket", access=Access.SIGNED_IN, tag=_TAG, secret=True,
      summary="A ticket that opens a socket or a stream once, within 30 seconds")  # fmt: skip
async def make_ticket(request: Call) -> Answer[Ticket]:
    """Answer a ticket for `/ws?ticket=` or for the `?ticket=` of a stream."""

    async def act(tx: Tx) -> Answer[Ticket]:
        return Answer(Ticket(await give_ticket(tx, request.actor)))

    return await request.write(act)


@get("/api/v1/websocket/metrics", access=Access.MODERATOR, tag=_TAG,
     summary="What the live connection does, on all nodes together")  # fmt: skip
async def read_live_metrics(request: Call) -> Answer[LiveMetrics]:
    """Answer the figures: this node's of this moment, the others' as of their last beat (2 s)."""
    kernel = request.kernel
    total = Counter(figures_of(kernel))
    async with kernel.database.statement() as tx:
        for figures in await presence_queries.figures_elsewhere(tx, kernel.wakeups.node_id):
            total.update(figures)
        total["users_online"] = await presence_queries.users_online(tx)
    return Answer(LiveMetrics(**{name: total[name] for name in LiveMetrics.__struct_fields__}))


LIVE_ROUTES = (open_socket, make_ticket, read_live_metrics)
