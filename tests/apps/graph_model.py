"""What a user says of a title, as slow and obvious as can be: one entry per place, each with who made it.

A place is the 490th or so part of a title between any two boundaries of any grid, or a mark. Its state is
(identity, value): the action that made it, and what is there; nothing at all is (None, None).
"""

import itertools
from dataclasses import dataclass, field
from typing import Any

from quintet.apps.wigg.model import Piece
from quintet.apps.wigg.rules import Contribution, boundaries, position_of

EDGES = sorted({edge for n in range(12, 41) for edge in boundaries(n)})
PARTS = list(itertools.pairwise(EDGES))
PLACE_OF = {starts: place for place, (starts, _) in enumerate(PARTS)}
State = tuple[Any, Any]
NOTHING: State = (None, None)
Record = dict[Any, tuple[State, State]]


def places_of(starts: int, ends: int) -> range:
    """The places from one boundary to another."""
    return range(PLACE_OF[starts], len(PARTS) if ends == EDGES[-1] else PLACE_OF[ends])


def segment_places(index: int, segments: int) -> range:
    """The places of a segment."""
    edges = boundaries(segments)
    return places_of(edges[index], edges[index + 1])


@dataclass
class GraphModel:
    """One user's marks and painting."""

    states: dict[Any, State] = field(default_factory=dict)

    def at(self, key: Any) -> State:
        return self.states.get(key, NOTHING)

    def do(self, identity: Any, values: dict[Any, Any]) -> Record:
        """An action writes values (None for a mark that is gone); what it did."""
        record = {key: (self.at(key), (identity, value)) for key, value in values.items()}
        self.states |= {key: after for key, (_, after) in record.items()}
        return record

    def take_back(self, records: list[Record]) -> tuple[Record, str, set[Any]]:
        """Take actions back, newest first: what changed, the outcome, and the places that are newer."""
        first, taken, newer = dict(self.states), 0, set[Any]()
        for record in records:
            standing = [key for key, (_, after) in record.items() if self.at(key)[0] == after[0]]
            newer |= record.keys() - set(standing)
            taken += bool(standing) or not record
            self.states |= {key: record[key][0] for key in standing}
        net = {
            key: (first.get(key, NOTHING), now)
            for key, now in self.states.items()
            if first.get(key, NOTHING)[0] != now[0]
        }
        outcome = "superseded" if not taken else "partly_restored" if newer else "restored"
        return net, outcome, newer

    def painted(self) -> list[int | None]:
        """The score at every place, in millionths."""
        return [self.at(place)[1] for place in range(len(PARTS))]

    def marks(self) -> dict[str, tuple[int, int | None]]:
        """The marks that are there: position and rating."""
        return {key: v for key, (_, v) in self.states.items() if isinstance(key, str) and v is not None}

    def mean(self, index: int, segments: int) -> int | None:
        """What is painted in a segment, on the average, in millionths, half up."""
        here = [(PARTS[p][1] - PARTS[p][0], self.at(p)[1]) for p in segment_places(index, segments)]
        length = sum(one for one, score in here if score is not None)
        total = sum(one * score for one, score in here if score is not None)
        return (2 * total + length) // (2 * length) if length else None

    def contribution(self) -> Contribution:
        """The same, in the words of the rules."""
        pieces = [Piece(*PARTS[p], score) for p, score in enumerate(self.painted()) if score is not None]
        return Contribution(tuple(self.marks().values()), tuple(pieces))


@dataclass
class Told:
    """What somebody in a title's room knows of one user, from events alone."""

    marks: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    painted: list[int | None] = field(default_factory=lambda: [None] * len(PARTS))

    def hear(self, event: dict[str, Any]) -> None:
        """Old state + event = new state."""
        match event["type"]:
            case "wigg_placed" | "wigg_moved" | "wigg_changed":
                self.marks[event["wigg_id"]] = (position_of(event["position_pct"]), event["rating"])
            case "wigg_removed":
                del self.marks[event["wigg_id"]]
            case "segment_painted":
                self._paint(segment_places(event["segment_index"], event["segments"]), event["new_score"])
            case "segments_painted":
                for cell in event["cells"]:
                    self._paint(segment_places(cell["segment_index"], event["segments"]), cell["new_score"])
            case "action_undone" | "action_redone":
                for wigg in event["wiggs"]:
                    if wigg["removed"]:
                        del self.marks[wigg["wigg_id"]]
                    else:
                        self.marks[wigg["wigg_id"]] = (position_of(wigg["position_pct"]), wigg["rating"])
                for part in event["painted"]:
                    ends = (position_of(part["start_pct"]), position_of(part["end_pct"]))
                    self._paint(places_of(*ends), part["score"])
            case _:
                return
        assert "note" not in str(event)

    def _paint(self, places: range, score: float | None) -> None:
        for place in places:
            self.painted[place] = None if score is None else position_of(score)
