"""Edit sessions, through the front door: whose they are, how long they last, and what they remember."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from tests.waiting import look_again
from tests.world import Person, World, code_of, mark, new_title

from quintet.apps.wigg.editing.sessions import MOST_ACTIONS, MOST_OPEN, end_expired_sessions


async def start(person: Person, title: str) -> str:
    answer = await person.post(f"/api/titles/{title}/edit-sessions")
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def paint(person: Person, title: str, index: int, score: float, **given: Any) -> dict[str, Any]:
    path = f"/api/titles/{title}/segments/{index}/score"
    answer = await person.patch(path, json={"score": score, **given})
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(world: World, title: str, *kinds: str) -> list[dict[str, Any]]:
    """The events of a title's room of these types, oldest first."""
    rows = world.sql("select body from kernel.room_events where room = %s order by seq", f"title:{title}")
    return [body for (body,) in rows if body["type"] in kinds]


def run_out(world: World, session: str) -> None:
    """Let a session have run out."""
    world.sql("update wigg.edit_sessions set expires_at = now() - interval '1 second' where id = %s", session)


async def test_a_session_is_started_kept_and_ended(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    answer = await ada.post(f"/api/titles/{title}/edit-sessions")
    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "expires_at"}
    path = f"/api/titles/{title}/edit-sessions/{answer.json()['id']}"
    assert answer.headers["location"] == path
    state = (await ada.get(path)).json()
    assert state == {
        "id": answer.json()["id"],
        "title_id": title,
        "started_at": state["started_at"],
        "expires_at": answer.json()["expires_at"],
        "ended_at": None,
        "actions_count": 0,
        "actions": [],
    }
    kept = await ada.post(f"{path}/heartbeat")
    assert (kept.status_code, set(kept.json())) == (200, {"id", "expires_at"})
    assert kept.json()["expires_at"] >= state["expires_at"]
    ended = await ada.post(f"{path}/end")
    assert ended.status_code == 200
    assert ended.json()["ended_at"] is not None
    for verb in ("heartbeat", "end"):
        assert code_of(await ada.post(f"{path}/{verb}")) == (409, "session_ended")
    assert (await ada.get(path)).json()["ended_at"] == ended.json()["ended_at"]
    entered, left = told(world, title, "edit_mode_entered", "edit_mode_left")
    assert (entered["type"], left["type"]) == ("edit_mode_entered", "edit_mode_left")
    for event in (entered, left):
        assert set(event) == {"type", "user_id", "title_id", "session_id", "timestamp"}
        assert (event["user_id"], event["title_id"]) == (ada.id, title)
        assert event["timestamp"].endswith("Z")


async def test_a_session_lasts_half_an_hour_from_its_last_use(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    session = await start(ada, title)
    path = f"/api/titles/{title}/edit-sessions/{session}"
    uses = (
        lambda: ada.post(f"{path}/heartbeat"),
        lambda: paint(ada, title, 3, 2, paint_session_id=session),
        lambda: ada.post(
            f"/api/titles/{title}/paint-batch",
            json={"operations": [{"segment_index": 1, "score": 1, "weight": 1}], "session_id": session},
        ),
        lambda: mark(ada, title, 50, session_id=session),
        lambda: ada.post(
            f"/api/titles/{title}/wiggs/batch", json={"wiggs": [{"position_pct": 3}], "session_id": session}
        ),
    )
    for use in uses:
        world.sql(
            "update wigg.edit_sessions set expires_at = now() + interval '1 minute' where id = %s", session
        )
        await use()
        seconds = world.sql(
            "select extract(epoch from expires_at - now())::int from wigg.edit_sessions where id = %s",
            session,
        )[0][0]
        assert 1790 <= seconds <= 1800
    # What names no session leaves it alone, and so does reading.
    world.sql("update wigg.edit_sessions set expires_at = now() + interval '1 minute' where id = %s", session)
    await paint(ada, title, 3, 2)
    await ada.get(path)
    left = "select expires_at < now() + interval '2 minutes' from wigg.edit_sessions where id = %s"
    assert world.sql(left, session) == [(True,)]


def session_writes(title: str, session: str) -> dict[str, tuple[str, str, dict[str, Any] | None]]:
    """Everything that can name a session."""
    operation = {"segment_index": 1, "score": 1, "weight": 1}
    at = f"/api/titles/{title}"
    return {
        "heartbeat": ("POST", f"{at}/edit-sessions/{session}/heartbeat", None),
        "end": ("POST", f"{at}/edit-sessions/{session}/end", None),
        "paint": ("PATCH", f"{at}/segments/3/score", {"score": 1, "paint_session_id": session}),
        "stroke": ("POST", f"{at}/paint-batch", {"operations": [operation], "session_id": session}),
        "place": ("POST", f"{at}/wiggs", {"position_pct": 1, "session_id": session}),
        "batch": ("POST", f"{at}/wiggs/batch", {"wiggs": [{"position_pct": 1}], "session_id": session}),
        "item": ("POST", f"{at}/wiggs/batch", {"wiggs": [{"position_pct": 1, "session_id": session}]}),
    }


async def test_nobody_gets_into_a_session_that_is_not_theirs_or_has_ended(world: World) -> None:
    """Another's, another title's, an ended, an expired and an invented session."""
    ada, ben = await world.person("ada"), await world.person("ben")
    title, other = await new_title(ada), await new_title(ada)
    theirs = await start(ben, title)
    elsewhere = await start(ada, other)
    ended = await start(ada, title)
    assert (await ada.post(f"/api/titles/{title}/edit-sessions/{ended}/end")).status_code == 200
    expired = await start(ada, title)
    run_out(world, expired)
    before = world.sql("select count(*) from wigg.edit_actions where title_id = %s", title)
    attempts = 0
    for session, refusal in (
        (theirs, (404, "not_found")),
        (elsewhere, (404, "not_found")),
        (str(uuid4()), (404, "not_found")),
        (ended, (409, "session_ended")),
        (expired, (409, "session_ended")),
    ):
        for name, (method, path, body) in session_writes(title, session).items():
            answer = await ada.call(method, path, **({} if body is None else {"json": body}))
            assert code_of(answer) == refusal, (name, answer.text)
            attempts += 1
        seen = await ada.get(f"/api/titles/{title}/edit-sessions/{session}")
        undone = await ada.post(f"/api/titles/{title}/undo-session/{session}")
        assert (seen.status_code, undone.status_code) == ((404, 404) if refusal[0] == 404 else (200, 200))
    assert world.sql("select count(*) from wigg.edit_actions where title_id = %s", title) == before
    assert world.sql("select actions_count from wigg.edit_sessions where id = %s", theirs) == [(0,)]
    assert (await ben.get(f"/api/titles/{title}/edit-sessions/{theirs}")).json()["ended_at"] is None
    print(
        f"{attempts} attempts to write in sessions not one's own, elsewhere, invented, ended, expired: 0 did"
    )


async def test_a_placing_told_again_does_not_ask_for_its_session(world: World) -> None:
    """An offline client replays what has arrived already; its session may be over by then."""
    ada = await world.person()
    title = await new_title(ada)
    session = await start(ada, title)
    body = {"position_pct": 1, "session_id": session, "optimistic_id": str(uuid4())}
    first = await ada.post(f"/api/titles/{title}/wiggs", json=body)
    await ada.post(f"/api/titles/{title}/edit-sessions/{session}/end")
    again = await ada.post(f"/api/titles/{title}/wiggs", json=body)
    assert (again.status_code, again.json()["outcome"]) == (200, "known")
    assert again.json()["undo_token"] == first.json()["undo_token"]


async def test_sessions_that_run_out_are_ended_once_by_whoever_comes_first(world: World) -> None:
    people = [await world.person(name) for name in ("ada", "ben", "cleo")]
    title = await new_title(people[0])
    sessions = [await start(person, title) for person in people for _ in range(4)]
    alive = await start(people[0], title)
    for session in sessions:
        run_out(world, session)
    # Several nodes sweep at once, beside the server's own sweeper.
    await asyncio.gather(*(end_expired_sessions(world.kernel.database) for _ in range(8)))
    while len(left := told(world, title, "edit_mode_left")) < len(sessions):
        await look_again()
    await asyncio.gather(*(end_expired_sessions(world.kernel.database) for _ in range(4)))
    left = told(world, title, "edit_mode_left")
    assert sorted(event["session_id"] for event in left) == sorted(sessions)
    states = world.sql("select id::text, ended_at is null from wigg.edit_sessions where title_id = %s", title)
    assert {session for session, is_open in states if is_open} == {alive}
    print(f"{len(sessions)} sessions run out, 12 sweeps and the server's own: {len(left)} told, each once")


async def test_the_server_ends_sessions_by_itself(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    session = await start(ada, title)
    run_out(world, session)
    state = (await ada.get(f"/api/titles/{title}/edit-sessions/{session}")).json()
    assert state["ended_at"] == state["expires_at"]  # ended, whether or not anybody has swept
    async with asyncio.timeout(20):
        while not told(world, title, "edit_mode_left"):
            await look_again()


async def test_open_sessions_are_bounded(world: World) -> None:
    ada = await world.person()
    title, other = await new_title(ada), await new_title(ada)
    oldest = await start(ada, other)
    later = [await start(ada, title) for _ in range(MOST_OPEN - 1)]
    assert told(world, other, "edit_mode_left") == []
    started = await asyncio.gather(*(ada.post(f"/api/titles/{title}/edit-sessions") for _ in range(10)))
    assert {answer.status_code for answer in started} == {201}
    count = "select count(*) from wigg.edit_sessions where user_id = %s and ended_at is null"
    assert world.sql(count, ada.id) == [(MOST_OPEN,)]
    assert [event["session_id"] for event in told(world, other, "edit_mode_left")] == [oldest]
    assert {event["session_id"] for event in told(world, title, "edit_mode_left")} == set(later[:9])


async def test_a_full_session_ends_with_the_write_that_fills_it(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    session = await start(ada, title)
    world.sql("update wigg.edit_sessions set actions_count = %s where id = %s", MOST_ACTIONS - 1, session)
    await paint(ada, title, 0, 1, paint_session_id=session)
    path = f"/api/titles/{title}/segments/1/score"
    refused = await ada.patch(path, json={"score": 1, "paint_session_id": session})
    assert code_of(refused) == (409, "session_ended")
    assert [event["session_id"] for event in told(world, title, "edit_mode_left")] == [session]


async def test_a_session_remembers_what_was_done_in_it(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    session, tab = await start(ada, title), await start(ada, title)
    placed = await mark(ada, title, 10, rating=3, session_id=session, note="whispered")
    await mark(ada, title, 60)
    await mark(ada, title, 70, session_id=tab)
    # The mark was placed in the session; changing it outside is no action of the session.
    path = f"/api/titles/{title}/wiggs/{placed['id']}"
    await ada.patch(path, json={"rating": 1})
    await ada.patch(path, json={"rating": 0, "session_id": session})
    await paint(ada, title, 4, 3.5, paint_session_id=session)
    state = (await ada.get(f"/api/titles/{title}/edit-sessions/{session}")).json()
    assert state["actions_count"] == 3
    assert [one["action_type"] for one in state["actions"]] == ["paint_segment", "change_wigg", "place_wigg"]
    painted, changed, first = state["actions"]
    assert painted["before"] == [{"kind": "painting", "start_pct": 20.0, "end_pct": 25.0, "score": None}]
    assert painted["after"] == [{"kind": "painting", "start_pct": 20.0, "end_pct": 25.0, "score": 3.5}]
    assert [one["rating"] for one in changed["before"] + changed["after"]] == [1, 0]
    assert first["before"] == [
        {"kind": "wigg", "wigg_id": placed["id"], "position_pct": None, "rating": None, "removed": True}
    ]
    assert all(one["session_id"] == session and one["undoable"] for one in state["actions"])
    assert "whispered" not in str(state)
    (cell,) = (await ada.get(f"/api/titles/{title}/segments/cells")).json()["items"]
    assert (cell["session_id"], cell["score"]) == (session, 3.5)
    # Removing in a session, too.
    assert (await ada.delete(f"{path}?session_id={session}")).status_code == 200
    state = (await ada.get(f"/api/titles/{title}/edit-sessions/{session}")).json()
    assert (state["actions_count"], state["actions"][0]["action_type"]) == (4, "remove_wigg")


async def test_what_was_done_is_listed_page_by_page_to_its_author(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title = await new_title(ada)
    session = await start(ada, title)
    for index in range(5):
        await paint(ada, title, index, 1, paint_session_id=session if index % 2 else None)
    await paint(ben, title, 9, 4)
    path = f"/api/titles/{title}/actions"
    seen: list[float] = []
    cursor = ""
    while cursor is not None:
        page = (await ada.get(f"{path}?limit=2{cursor and '&cursor='}{cursor}")).json()
        assert len(page["items"]) <= 2
        seen += [one["after"][0]["start_pct"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [20.0, 15.0, 10.0, 5.0, 0.0]
    of_session = (await ada.get(f"{path}?session_id={session}")).json()["items"]
    assert [one["after"][0]["start_pct"] for one in of_session] == [15.0, 5.0]
    assert len((await ben.get(path)).json()["items"]) == 1
    assert (await ben.get(f"{path}?session_id={session}")).json()["items"] == []
    assert code_of(await ada.get(f"{path}?cursor=x")) == (400, "invalid_cursor")


async def test_all_goes_with_its_user_and_with_its_title(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    titles = [await new_title(ada), await new_title(ada)]
    for person in (ada, ben):
        for title in titles:
            session = await start(person, title)
            placed = await mark(person, title, 10, session_id=session)
            await paint(person, title, 4, 3.5, paint_session_id=session)
            await person.delete(f"/api/titles/{title}/wiggs/{placed['id']}")
    tables = ("edit_sessions", "edit_actions", "paintings", "removed_wiggs")
    world.sql("delete from accounts.users where id = %s", ben.id)
    for table in tables:
        assert world.sql(f"select count(*) from wigg.{table} where user_id = %s", ben.id) == [(0,)], table
    world.sql("delete from catalogue.works where id = %s", titles[0])
    for table in tables:
        rows = world.sql(f"select distinct title_id from wigg.{table} where user_id = %s", ada.id)
        assert rows == [(titles[1],)], table
    # Rows that go by cascade leave the curve as it was: no other test shall meet it.
    world.sql("delete from catalogue.works where id = %s", titles[1])


@pytest.mark.parametrize("verb", ["", "/heartbeat", "/end"])
async def test_what_is_no_session_is_not_found(world: World, verb: str) -> None:
    ada = await world.person()
    title = await new_title(ada)
    for session in ("nope", "0" * 400, str(uuid4())):
        path = f"/api/titles/{title}/edit-sessions/{session}{verb}"
        answer = await (ada.post(path) if verb else ada.get(path))
        assert answer.status_code == 404
    assert code_of(await ada.post("/api/titles/nothing/edit-sessions")) == (404, "not_found")
