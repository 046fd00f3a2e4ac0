"""Connections that send all of what they are given, however large it is and however busy the server.

Invariant: nobody waits for an answer while a part of the question is still unsent.
"""

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq.abc import PGconn
from psycopg.waiting import Ready, Wait

T = TypeVar("T")


class FlushingConnection(psycopg.AsyncConnection[Any]):
    """A connection whose pipeline cannot fall silent with half a statement in its buffer.

    In pipeline mode psycopg (3.3.9) sends once and then only waits for something to read. What the network
    did not take at once, such as the events of a large commit while the server is still busy with an earlier
    statement, is sent when something arrives; but nothing does, since the server waits for the rest. No
    timeout of the server's ends that: to it, the client is just slow.
    """

    async def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:  # noqa: ASYNC109 (named so by psycopg)
        """Drive what psycopg waits for, and send what is unsent meanwhile."""
        return await super().wait(_flushing(gen, self.pgconn), interval, timeout)


def _flushing(gen: PQGen[T], pgconn: PGconn) -> PQGen[T]:
    try:
        wanted = next(gen)
        while True:
            if wanted == Wait.R and pgconn.flush():
                ready = yield Wait.RW
                # Nothing comes when psycopg takes up waiting again after it was cancelled.
                if not ready or not ready & Ready.R:
                    continue  # there may be room again: send more
                ready = Ready.R
            else:
                ready = yield wanted
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value
    finally:
        gen.close()
