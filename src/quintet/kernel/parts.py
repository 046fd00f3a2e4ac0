"""Parts: what a domain or an app hands to `app.py`, so that deleting its folder and its line deletes it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler

from quintet.kernel.actor import Actor
from quintet.kernel.database import Tx
from quintet.kernel.http.call import Kernel
from quintet.kernel.live.connection import Connection
from quintet.kernel.live.counts import CountKind, ReadCounts
from quintet.kernel.live.hub import RoomKind


class Part(msgspec.Struct, frozen=True):
    """One domain or app: its routes, and what runs beside the requests for as long as the server does.

    `background` functions never return by themselves; one that raises is logged and begun again. `hears` says
    what it does, in the same transaction, when a floor below announces something of that type. `commands` are
    the messages of the live connection that it understands, by their `type`; `counts` says how the numbers
    are read that `Tx.count` says have changed.
    """

    name: str
    routes: tuple[HTTPRouteHandler, ...] = ()
    background: tuple[Callable[[Kernel], Awaitable[None]], ...] = ()
    on_start: tuple[Callable[[Kernel], Awaitable[None]], ...] = ()
    rooms: dict[str, RoomKind] = {}
    commands: Mapping[str, Callable[[Connection, Actor, dict[str, Any]], Awaitable[None]]] = {}
    hears: dict[type, Callable[[Tx, Any], Awaitable[None]]] = {}
    counts: dict[str, ReadCounts | CountKind] = {}
    tags: dict[str, Any] = {}
