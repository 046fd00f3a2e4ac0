"""Statements that collect old history and old sessions.

Invariant: each removes a bounded part, so that nobody waits long for a lock.
"""

from quintet.kernel.clock import Instant
from quintet.kernel.database import Tx


async def lock_oldest(tx: Tx, before: int) -> str | None:
    """Lock the document whose history goes back furthest, and further than a server's timestamp."""
    return await tx.value(
        """
        select id from documents.documents where oldest_timestamp < $1
        order by oldest_timestamp
        limit 1
        for no key update skip locked
        """,
        before,
    )


async def collect(tx: Tx, document_id: str, floor: int) -> None:
    """Remove the operations up to `floor`, whose text is kept as a snapshot, and the snapshots before it."""
    await tx.send(
        """
        update documents.documents d
        set floor_rev = $2,
            floor_timestamp = (
                select o.server_timestamp from documents.operations o
                where o.document_id = d.id and o.rev = $2
            ),
            oldest_timestamp = (
                select o.server_timestamp from documents.operations o
                where o.document_id = d.id and o.rev = $2 + 1
            )
        where id = $1 and floor_rev < $2
        """,
        document_id,
        floor,
    )
    await tx.send("delete from documents.operations where document_id = $1 and rev <= $2", document_id, floor)
    await tx.send("delete from documents.snapshots where document_id = $1 and rev < $2", document_id, floor)


async def remove_sessions(tx: Tx, before: Instant) -> None:
    """Remove the answers of sessions that nobody has used since."""
    await tx.run(
        """
        delete from documents.sessions where (document_id, user_id, session) in (
            select document_id, user_id, session from documents.sessions where updated_at < $1 limit 10000
        )
        """,
        before,
    )
