"""The desk: where operations are handed in, written together, and answered.

Invariant: an operation is answered after the commit of the transaction that wrote it. Whatever waits for one
document is written in one transaction, under the lock of the document's row, by any process.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from quintet.domains.documents import queries
from quintet.domains.documents.copies import Copy
from quintet.domains.documents.judging import Outcome, Repeated, Submission, judge
from quintet.domains.documents.model import Change
from quintet.domains.documents.opening import open_copy, remember_since, rights_of, together
from quintet.kernel.database import Tx
from quintet.kernel.refusals import Internal, NotFound, Refusal
from quintet.kernel.telemetry import get_logger

if TYPE_CHECKING:
    from quintet.kernel.http.call import Kernel

MOST_TOGETHER: Final = 100  # operations of one transaction
# How long those who wrote just before are waited for, so that they are written together again: a transaction
# costs as much as many operations. Who writes alone waits for nobody.
GATHER_SECONDS: Final = 0.002
QUIET_SECONDS: Final = 60.0  # until the memory of a document that nobody writes is given back
MOST_BYTES: Final = 128 * 1024 * 1024  # of all documents' copies; the quietest go first

Answer = Repeated | None  # None: the ack is told in its place among what the room tells
Waiting = tuple[Submission, asyncio.Future[Answer]]


class Desk:
    """One document's desk in this process."""

    def __init__(self, kernel: "Kernel", document_id: str) -> None:
        self.copy: Copy | None = None
        self.used_at = 0.0
        self._kernel = kernel
        self._document_id = document_id
        self._waiting: deque[Waiting] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._expected = 1
        self._gathered = asyncio.Event()

    @property
    def is_busy(self) -> bool:
        """Whether something is being written."""
        return self._worker is not None

    async def submit(self, submission: Submission) -> Answer:
        """Write the operation; answers when it is committed, or raises Refusal."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((submission, future))
        if self._worker is None:
            self._worker = asyncio.create_task(self._write_all())
        elif len(self._waiting) >= self._expected:
            self._gathered.set()
        return await asyncio.shield(future)

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                if len(self._waiting) < self._expected:
                    self._gathered.clear()
                    timer = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._gathered.set)
                    await self._gathered.wait()
                    timer.cancel()
                group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
                await self._write(group)
                self._expected = min(MOST_TOGETHER, len(group) + len(self._waiting))
        finally:
            self._worker = None
            self.used_at = self._kernel.clock.monotonic()

    async def _write(self, group: list[Waiting]) -> None:
        submissions = [submission for submission, _ in group]
        copy: Copy | None = None
        outcomes: list[Outcome] = []

        async def act(tx: Tx) -> None:
            nonlocal copy, outcomes
            copy, outcomes = await self._judge(tx, submissions)

        try:
            await self._kernel.database.transact(act)
        except Exception as error:  # noqa: BLE001 (told to everybody who waits for it)
            self.copy = None
            if not isinstance(error, Refusal):
                get_logger().error("bug", message="documents", exc_info=error)
            outcomes = [error if isinstance(error, Refusal) else Internal()] * len(group)
        else:
            self.copy = copy
            if copy is not None:
                copy.forget()
        for (submission, future), outcome in zip(group, outcomes, strict=True):
            _answer(submission, future, outcome)

    async def _judge(self, tx: Tx, submissions: Sequence[Submission]) -> tuple[Copy | None, list[Outcome]]:
        copy = await self._opened(tx, submissions)
        if copy is None:
            return None, [NotFound()] * len(submissions)
        outcomes: list[Outcome] = []
        for submission in submissions:
            try:
                outcomes.append(judge(copy, submission, tx.now))
            except Refusal as refusal:
                outcomes.append(refusal)
            except Exception as error:  # noqa: BLE001 (a bug met with one operation costs the others nothing)
                get_logger().error("bug", message="operation", exc_info=error)
                outcomes.append(Internal())
        changes = [one for one in outcomes if isinstance(one, Change)]
        if changes:
            written = {(one.stored.user_id, one.stored.session) for one in changes}
            answers = {key: one for key, one in copy.sessions.items() if key in written}
            await queries.write(tx, self._document_id, copy.text, changes, answers)
            for change in changes:
                tx.publish(change)
        return copy, outcomes

    async def _opened(self, tx: Tx, submissions: Sequence[Submission]) -> Copy | None:
        """The document, locked, with all that is needed to judge these operations."""
        sessions = {(one.user_id, one.session) for one in submissions if one.session is not None}
        users = {one.user_id for one in submissions}
        # Both travel in one journey, the rights behind the lock.
        copy, rights = await together(
            open_copy(tx, self._kernel, self._document_id, self.copy, sessions),
            rights_of(tx, self._kernel, self._document_id, users),
        )
        if copy is not None:
            copy.writers, copy.readers = rights
            await remember_since(tx, copy, min(one.oldest_rev for one in submissions))
        return copy


def _answer(submission: Submission, future: asyncio.Future[Answer], outcome: Outcome) -> None:
    """Tell who waits what became of the operation."""
    awaited = submission.awaited
    is_told = awaited is not None and awaited.is_heard
    if isinstance(outcome, Change):
        submission.seat.settle(submission.op_id)
    else:
        submission.seat.awaited.pop(submission.op_id, None)
    if future.done():  # who waited has gone
        return
    if isinstance(outcome, Exception) and not is_told:
        future.set_exception(outcome)
        future.exception()  # nobody may be left to hear it
    else:
        future.set_result(outcome if isinstance(outcome, Repeated) else None)


class Desks:
    """The desks of this process."""

    def __init__(self, kernel: "Kernel") -> None:
        self._kernel = kernel
        self._desks: dict[str, Desk] = {}

    def __len__(self) -> int:
        return len(self._desks)

    def of(self, document_id: str) -> Desk:
        """The document's desk."""
        desk = self._desks.get(document_id)
        if desk is None:
            desk = self._desks[document_id] = Desk(self._kernel, document_id)
        desk.used_at = self._kernel.clock.monotonic()
        return desk

    def known(self, document_id: str) -> Copy | None:
        """This process's copy of the document, where it has one."""
        desk = self._desks.get(document_id)
        return desk.copy if desk is not None else None

    def give_back(self) -> None:
        """Forget documents that have fallen quiet, and the quietest of too many."""
        now = self._kernel.clock.monotonic()
        total = 0
        for document_id, desk in sorted(self._desks.items(), key=lambda one: -one[1].used_at):
            total += desk.copy.size if desk.copy is not None else 0
            if not desk.is_busy and (now - desk.used_at > QUIET_SECONDS or total > MOST_BYTES):
                del self._desks[document_id]
