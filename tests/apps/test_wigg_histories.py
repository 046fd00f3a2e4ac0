"""Random histories of two users with two tabs each, against a plain model: nothing newer is overwritten."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.apps.graph_model import GraphModel, Record, Told, places_of, segment_places
from tests.world import Person, World, new_title

from quintet.apps.wigg.rules import position_of, shown_mean, voices, whole_curve

STEPS = 70


@dataclass
class Player:
    """A user with two tabs, what the model says of their graph, and the tokens they hold."""

    person: Person
    title: str
    chance: random.Random
    tabs: list[str]
    graph: GraphModel = field(default_factory=GraphModel)
    undos: list[tuple[str, list[Any], Record | None]] = field(default_factory=list)
    redos: list[tuple[str, list[Any], Record]] = field(default_factory=list)
    done: dict[Any, tuple[str | None, Record]] = field(default_factory=dict)
    undone: set[Any] = field(default_factory=set)
    batches: set[str] = field(default_factory=set)
    versions: list[int] = field(default_factory=lambda: [0])
    outcomes: Counter[str] = field(default_factory=Counter)

    def tab(self) -> str | None:
        return self.chance.choice([None, *self.tabs])

    async def step(self) -> None:
        await self.chance.choice(
            [self.paint, self.paint, self.stroke, self.place, self.place, self.batch, self.move, self.remove,
             self.undo, self.undo, self.undo, self.redo, self.redo, self.undo_session]
        )()  # fmt: skip

    def note(self, name: Any, session: str | None, values: dict[Any, Any], token: str) -> None:
        """Something was done: the model does it, too."""
        self.done[name] = (session, self.graph.do(name, values))
        self.undos.append((token, [name], None))

    async def paint(self) -> None:
        n = self.chance.choice([12, 13, 20, 20, 20, 40])
        index = self.chance.randrange(n)
        score = self.chance.choice([0, 4, 2.5, 1 / 3, self.chance.random() * 4])
        session = self.tab()
        path = f"/api/titles/{self.title}/segments/{index}/score?segments={n}"
        answer = await self.person.patch(path, json={"score": score, "paint_session_id": session})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["segment_index"] == index
        assert position_of(told["new_score"]) == position_of(score)
        was = self.graph.mean(index, n)
        assert told["previous_score"] == (None if was is None else was / 1_000_000)
        self._newer(told["version"])
        places = segment_places(index, n)
        self.note(len(self.done), session, dict.fromkeys(places, position_of(score)), told["undo_token"])

    async def stroke(self) -> None:
        n = self.chance.choice([12, 20, 30])
        session = self.tab()
        first = self.chance.randrange(n)
        operations = [
            {
                "segment_index": min(n - 1, first + self.chance.randrange(3)),
                "score": self.chance.choice([0, 4, 3.25]),
                "weight": self.chance.choice([1, 0.5, 0.25]),
            }
            for _ in range(self.chance.randint(1, 6))
        ]
        after: dict[int, int] = {}
        for one in operations:
            index = one["segment_index"]
            was, score = after.get(index, self.graph.mean(index, n)), position_of(one["score"])
            there = score if was is None else was + (score - was) * one["weight"]
            after[index] = int(there + 0.5)  # exact: the weights are powers of two
        body = {"operations": operations, "session_id": session}
        answer = await self.person.post(f"/api/titles/{self.title}/paint-batch?segments={n}", json=body)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert {c["segment_index"]: position_of(c["new_score"]) for c in told["cells"]} == after
        self._newer(told["version"])
        values = {place: after[index] for index in after for place in segment_places(index, n)}
        self.note(len(self.done), session, values, told["undo_token"])

    def _newer(self, version: int) -> None:
        assert version > self.versions[-1]
        self.versions.append(version)

    def _body(self) -> dict[str, Any]:
        pct = self.chance.choice([self.chance.uniform(0, 100), self.chance.uniform(0, 5), 50])
        return {"position_pct": pct, "rating": self.chance.choice([None, 0, 1, 2, 3]), "note": "whispered"}

    async def place(self) -> None:
        session = self.tab()
        body = self._body() | {"session_id": session}
        answer = await self.person.post(f"/api/titles/{self.title}/wiggs", json=body)
        assert answer.status_code == 201, answer.text
        self._placed(session, answer.json())

    def _placed(self, session: str | None, told: dict[str, Any]) -> Any:
        name = len(self.done)
        value = (position_of(told["position_pct"]), told["rating"])
        self.note(name, session, {told["id"]: value}, told["undo_token"])
        return name

    async def batch(self) -> None:
        session = self.tab()
        body = {"session_id": session, "wiggs": [self._body() for _ in range(self.chance.randint(1, 4))]}
        answer = await self.person.post(f"/api/titles/{self.title}/wiggs/batch", json=body)
        assert answer.status_code == 200, answer.text
        names = [self._placed(session, item) for item in answer.json()["items"]]
        self.batches.add(answer.json()["undo_token"])
        self.undos.append((answer.json()["undo_token"], names[::-1], None))

    async def move(self) -> None:
        if marks := self.graph.marks():
            wigg_id, session = self.chance.choice(list(marks)), self.tab()
            body = self._body() | {"session_id": session}
            answer = await self.person.patch(f"/api/titles/{self.title}/wiggs/{wigg_id}", json=body)
            if answer.status_code == 409:
                assert answer.json()["code"] == "too_close"
                return
            self._placed(session, answer.json())

    async def remove(self) -> None:
        if marks := self.graph.marks():
            wigg_id, session = self.chance.choice(list(marks)), self.tab()
            query = f"?session_id={session}" if session else ""
            answer = await self.person.delete(f"/api/titles/{self.title}/wiggs/{wigg_id}{query}")
            assert answer.status_code == 200, answer.text
            self.note(len(self.done), session, {wigg_id: None}, answer.json()["undo_token"])

    async def undo(self) -> None:
        """One of the newest tokens, mostly; each is spent by it."""
        if not self.undos:
            return
        at = max(0, len(self.undos) - 1 - self.chance.choice([0, 0, 0, 1, 2, 5, 20]))
        token, names, redone = self.undos.pop(at)
        answer = await self.person.post(f"/api/undo/{token}")
        assert answer.status_code == 200, answer.text
        if redone is not None:
            self._reversed(answer.json(), [redone], names)
        else:
            # Of a batch, the placings that are not undone yet.
            batch = token in self.batches
            self._undone(answer.json(), [n for n in names if not (batch and n in self.undone)])
        again = await self.person.post(f"/api/undo/{token}")
        assert (again.status_code, again.json()["code"]) == (410, "token_used")

    async def redo(self) -> None:
        if not self.redos:
            return
        at = max(0, len(self.redos) - 1 - self.chance.choice([0, 0, 1, 3]))
        token, targets, record = self.redos.pop(at)
        answer = await self.person.post(f"/api/redo/{token}")
        assert answer.status_code == 200, answer.text
        net, outcome = self._check(answer.json(), [record])
        if outcome != "superseded":
            self.undone -= set(targets)
            self.undos.append((answer.json()["undo_token"], targets, net))
        else:
            assert answer.json()["undo_token"] is None
        assert (await self.person.post(f"/api/redo/{token}")).status_code == 410

    async def undo_session(self) -> None:
        if self.chance.random() < 0.6:
            return
        session = self.chance.choice(self.tabs)
        names = [n for n, (where, _) in self.done.items() if where == session and n not in self.undone]
        path = f"/api/titles/{self.title}/undo-session/{session}"
        answer = await self.person.post(path)
        assert answer.status_code == 200, answer.text
        self._undone(answer.json(), names[::-1])

    def _undone(self, told: dict[str, Any], names: list[Any]) -> None:
        """Actions were taken back, newest first; those of which nothing stood are not undone."""
        trial, targets = GraphModel(dict(self.graph.states)), list[Any]()
        for name in names:
            if trial.take_back([self.done[name][1]])[1] != "superseded":
                targets.append(name)
        self._reversed(told, [self.done[name][1] for name in names], targets)

    def _reversed(self, told: dict[str, Any], records: list[Record], targets: list[Any]) -> None:
        net, outcome = self._check(told, records)
        if outcome == "superseded":
            assert told["redo_token"] is None
            return
        self.undone |= set(targets)
        self.redos.append((told["redo_token"], targets, net))

    def _check(self, told: dict[str, Any], records: list[Record]) -> tuple[Record, str]:
        """The model takes back the same, and says the same of it."""
        net, outcome, newer = self.graph.take_back(records)
        assert told["outcome"] == outcome
        self.outcomes[outcome] += 1
        restored: dict[Any, Any] = {}
        for one in told["restored"]:
            if one["kind"] == "wigg":
                value = None if one["removed"] else (position_of(one["position_pct"]), one["rating"])
                restored[one["wigg_id"]] = value
            else:
                ends = (position_of(one["start_pct"]), position_of(one["end_pct"]))
                score = None if one["score"] is None else position_of(one["score"])
                restored |= dict.fromkeys(places_of(*ends), score)
        # That a mark which is gone is gone otherwise is nothing to see.
        visible = {
            key: after[1] for key, (before, after) in net.items() if (before[1], after[1]) != (None, None)
        }
        assert restored == visible
        skipped: set[Any] = set()
        for one in told["skipped"]:
            assert one["reason"] == "newer"
            if one["kind"] == "wigg":
                skipped.add(one["wigg_id"])
            else:
                skipped |= set(places_of(position_of(one["start_pct"]), position_of(one["end_pct"])))
        assert skipped == newer
        return net, outcome

    async def check_read(self) -> None:
        """What the server shows of this user is what the model says."""
        entries = (await self.person.get(f"/api/titles/{self.title}/wiggs")).json()["entries"]
        assert {e["id"]: (position_of(e["pct"]), e["rating"]) for e in entries} == self.graph.marks()
        assert all(e["note"] == "whispered" for e in entries)
        painted: list[int | None] = [None] * len(self.graph.painted())
        for cell in (await self.person.get(f"/api/titles/{self.title}/segments/cells")).json()["items"]:
            ends = (position_of(cell["start_pct"]), position_of(cell["end_pct"]))
            for place in places_of(*ends):
                assert painted[place] is None
                painted[place] = position_of(cell["score"])
            assert cell["version"] <= (await self._version())
        assert painted == self.graph.painted()

    async def _version(self) -> int:
        return (await self.person.get(f"/api/titles/{self.title}/progress")).json()["version"]


@pytest.mark.parametrize(
    "seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 8))]
)
async def test_histories_equal_the_model(world: World, seed: int) -> None:
    chance = random.Random(seed)
    people = [await world.person("ada"), await world.person("ben")]
    title = await new_title(people[0])
    players: list[Player] = []
    for person in people:
        tabs = [(await person.post(f"/api/titles/{title}/edit-sessions")).json()["id"] for _ in range(2)]
        players.append(Player(person, title, chance, tabs))
    for _ in range(STEPS):
        await chance.choice(players).step()
        for player in players:
            player.versions.append(await player._version())
    for player in players:
        await player.check_read()
    outcomes = sum((player.outcomes for player in players), Counter())
    events = world.sql("select body from kernel.room_events where room = %s order by seq", f"title:{title}")
    told = {player.person.id: Told() for player in players}
    for (body,) in events:
        if body.get("user_id") in told:
            told[body["user_id"]].hear(body)
    for player in players:
        assert told[player.person.id].marks == player.graph.marks()
        assert told[player.person.id].painted == player.graph.painted()
    everyone = [said for player in players if (said := player.graph.contribution())]
    for n in (12, 13, 20, 29, 30, 40):
        sums, counts = whole_curve([voices(said, n) for said in everyone], n)
        shown = (await world.get(f"/api/titles/{title}/progress?segments={n}")).json()["segments"]
        assert [(s["mean_score"], s["sample_size"]) for s in shown] == [
            (shown_mean(total, count), count) for total, count in zip(sums, counts, strict=True)
        ], n
    assert drift(world, title) == []
    print(f"history {seed}: {STEPS} steps, {len(events)} events, {dict(outcomes)}, no drift")


def drift(world: World, title: str) -> list[Any]:
    """Where the curve that writes kept differs from the one computed anew."""
    return world.sql(
        """
        select kept, anew from wigg.curves kept, wigg.curve_anew(kept.title_id) anew
        where kept.title_id = %s
          and (kept.wiggs_count, kept.users_count, kept.sums, kept.voices, kept.levels) is distinct from
              (anew.wiggs_count, anew.users_count, anew.sums, anew.voices, anew.levels)
        """,
        title,
    )
