"""Statements about who is there, and which nodes are alive."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx

LEASE_SECONDS: Final = 10  # a node silent for so long is dead


class Present(msgspec.Struct, frozen=True):
    """Somebody in a room; `total` is how many are."""

    room: str
    user_id: UUID
    status: str
    mode: str | None
    total: int


async def write(tx: Tx, node_id: UUID, rows: str, now: datetime) -> None:
    """Write a node's rows (JSON), and remove those without connections."""
    await tx.run(
        """
        with given as (
            select * from jsonb_to_recordset($2::jsonb) as row(
                room text, user_id uuid, status text, mode text, connections integer
            )
        ), gone as (
            delete from kernel.presence p using given
            where given.connections = 0 and p.room = given.room and p.user_id = given.user_id
              and p.node_id = $1
        )
        insert into kernel.presence as p (room, user_id, node_id, status, mode, connections, since)
        select room, user_id, $1, status, mode, connections, $3 from given
        where connections > 0 and exists (select from kernel.nodes where id = $1)
        order by room, user_id
        on conflict (room, user_id, node_id) do update
        set status = excluded.status, mode = excluded.mode, connections = excluded.connections
        """,
        node_id,
        rows,
        now,
    )


async def present(tx: Tx, rooms: list[str]) -> list[Present]:
    """Who is in the rooms, on all living nodes: of each room the 200 who came first."""
    return await tx.all(
        Present,
        """
        with person as (
            select p.room, p.user_id, max(p.status) filter (where p.status = 'in_studio') as studio,
                   max(p.mode) as mode, min(p.since) as since
            from kernel.presence p
            join kernel.nodes n on n.id = p.node_id
            where p.room = any($1) and n.seen_at > clock_timestamp() - make_interval(secs => $2)
            group by p.room, p.user_id
        ), placed as (
            select *, row_number() over (partition by room order by since, user_id) as nth,
                   count(*) over (partition by room) as total
            from person
        )
        select room, user_id, coalesce(studio, 'online'), mode, total from placed
        where nth <= 200
        order by room, nth
        """,
        rooms,
        LEASE_SECONDS,
    )


async def lock_connections(tx: Tx, user_id: UserId, node_id: UUID) -> int:
    """How many connections the user has on other living nodes; no more come until this transaction ends."""
    await tx.send("select pg_advisory_xact_lock(hashtextextended($1, 20))", str(user_id))
    return await tx.value(
        """
        select coalesce(sum(p.connections), 0)::integer
        from kernel.presence p
        join kernel.nodes n on n.id = p.node_id
        where p.room = '' and p.user_id = $1 and p.node_id <> $2
          and n.seen_at > clock_timestamp() - make_interval(secs => $3)
        """,
        user_id,
        node_id,
        LEASE_SECONDS,
    )


async def beat(tx: Tx, node_id: UUID, figures: str) -> bool:
    """Say that a node is alive, and its figures (JSON); whether the database did not know it."""
    return await tx.value(
        """
        insert into kernel.nodes as n (id, seen_at, figures) values ($1, clock_timestamp(), $2::jsonb)
        on conflict (id) do update set seen_at = excluded.seen_at, figures = excluded.figures
        returning n.xmax = 0
        """,
        node_id,
        figures,
    )


async def bury_the_dead(tx: Tx) -> list[str]:
    """Remove nodes that are silent; the rooms in which they had somebody."""
    return await tx.all(
        str,
        """
        with dead as (
            delete from kernel.nodes
            where seen_at <= clock_timestamp() - make_interval(secs => $1)
            returning id
        )
        select distinct p.room from kernel.presence p join dead on dead.id = p.node_id
        """,
        LEASE_SECONDS,
    )


async def others(tx: Tx, node_id: UUID) -> int:
    """How many other nodes are alive."""
    return await tx.value("select count(*) from kernel.nodes where id <> $1", node_id)


async def remove_node(tx: Tx, node_id: UUID) -> None:
    """Take leave: with the node goes who was connected to it."""
    await tx.run("delete from kernel.nodes where id = $1", node_id)


async def figures_elsewhere(tx: Tx, node_id: UUID) -> list[dict[str, int]]:
    """The figures of every other node."""
    return await tx.all(dict, "select figures from kernel.nodes where id <> $1", node_id)


async def users_online(tx: Tx) -> int:
    """How many users are connected, on all nodes."""
    return await tx.value("select count(distinct user_id) from kernel.presence where room = ''")
