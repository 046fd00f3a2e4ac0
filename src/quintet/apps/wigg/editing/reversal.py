"""Taking back: the one function behind undo, redo and the undoing of a whole session. Pure.

Invariant: a state is replaced only where it is still the one that the record made, known by the id of the
action that made it and not by its value; what is put back keeps the identity it had. So nothing newer is ever
overwritten, and undoing and redoing can follow each other in any number.
"""

from collections.abc import Iterable
from typing import Final

from quintet.apps.wigg.editing.model import Absent, Painted, SkipReason, UndoOutcome, WiggState
from quintet.apps.wigg.editing.painting import as_new, changes_between, put_back, repaint, united
from quintet.apps.wigg.editing.records import MarkChange, Record, never
from quintet.apps.wigg.model import Wigg, WiggId

# Restored marks are never merged, so merging does not bound them; this does.
MOST_MARKS: Final = 500


class Reversal:
    """A user's marks and painting of one title, while actions are taken back from them, newest first."""

    def __init__(self, wiggs: Iterable[Wigg], painting: list[Painted]) -> None:
        self._first: dict[WiggId, WiggState] = {wigg.id: wigg for wigg in wiggs}
        self._marks = dict(self._first)
        self._count = len(self._first)
        self._first_painting = self._painting = painting
        self.taken_back = 0
        self.skipped_marks: dict[WiggId, SkipReason] = {}
        self._skipped_parts: list[tuple[int, int]] = []

    def unknown(self, records: Iterable[Record]) -> list[WiggId]:
        """The marks in these records that are not there, and whose remover is not known yet."""
        ids = {change.after.id for record in records for change in record.marks}
        return sorted(ids - self._marks.keys())

    def learn(self, absent: Iterable[Absent]) -> None:
        """Hear which action removed which mark."""
        for one in absent:
            self._first[one.id] = self._marks[one.id] = one

    def take_back(self, record: Record) -> bool:
        """Take one record back as far as it still stands; whether any of it did."""
        done = False
        for change in record.marks:
            done |= self._take_back_mark(change)
        back, newer = put_back(self._painting, record.painting)
        if back:
            self._painting = repaint(self._painting, back)
        self._skipped_parts += newer
        done |= bool(back) or not (record.marks or record.painting)
        self.taken_back += done
        return done

    def _take_back_mark(self, change: MarkChange) -> bool:
        wigg_id = change.after.id
        now = self._marks.get(wigg_id, never(wigg_id))
        if now.action_id != change.after.action_id:
            self.skipped_marks[wigg_id] = "newer"
            return False
        growth = isinstance(change.before, Wigg) - isinstance(now, Wigg)
        if growth > 0 and self._count >= MOST_MARKS:
            self.skipped_marks[wigg_id] = "full"
            return False
        self._marks[wigg_id] = change.before
        self._count += growth
        return True

    @property
    def skipped_parts(self) -> list[tuple[int, int]]:
        """Where something newer is painted."""
        return united(self._skipped_parts)

    @property
    def outcome(self) -> UndoOutcome:
        """How far everything was taken back."""
        if not self.taken_back:
            return "superseded"
        return "partly_restored" if self.skipped_marks or self._skipped_parts else "restored"

    def net(self) -> Record:
        """All that has become another state, from the first one to the present one."""
        marks = [
            MarkChange(was, now)
            for wigg_id, now in self._marks.items()
            if (was := self._first.get(wigg_id, never(wigg_id))).action_id != now.action_id
        ]
        return Record(marks, changes_between(self._first_painting, self._painting))

    def painting(self, net: Record) -> list[Painted]:
        """The painting with the net change in it: only what has changed gets the new version."""
        return repaint(self._first_painting, [as_new(change.after) for change in net.painting])
