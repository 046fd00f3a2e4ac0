"""Undoing a whole edit session."""

import asyncio

from tests.apps.test_wigg_editing import paint, run_out, start, told
from tests.apps.test_wigg_histories import drift
from tests.apps.test_wigg_painting import cells, stroke
from tests.apps.undoing import marks, redo, undo
from tests.world import World, code_of, mark, new_title

from quintet.apps.wigg.editing.sessions import MOST_ACTIONS


async def test_a_session_is_undone_and_redone_at_once(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    session = await start(ada, title)
    earlier = await mark(ada, title, 90, rating=3)
    await paint(ada, title, 3, 1)
    before = (await marks(ada, title), await cells(ada, title))
    await mark(ada, title, 10, rating=2, session_id=session)
    await mark(ada, title, 10.5, rating=3, session_id=session)
    await paint(ada, title, 3, 4, paint_session_id=session)
    await stroke(ada, title, (3, 0, 0.5), (4, 2, 1), session_id=session)
    body = {"wiggs": [{"position_pct": 60}, {"position_pct": 70}], "session_id": session}
    await ada.post(f"/api/titles/{title}/wiggs/batch", json=body)
    await ada.patch(f"/api/titles/{title}/wiggs/{earlier['id']}", json={"rating": 0, "session_id": session})
    single = await paint(ada, title, 8, 3, paint_session_id=session)
    await undo(ada, single["undo_token"])  # undone already: not taken back again
    after = (await marks(ada, title), await cells(ada, title))
    path = f"/api/titles/{title}/undo-session/{session}"
    await ada.post(f"/api/titles/{title}/edit-sessions/{session}/end")  # an ended one, too
    world.sql(
        "update wigg.edit_actions set created_at = created_at - interval '23 hours' where title_id = %s",
        title,
    )
    undone = (await ada.post(path)).json()
    assert (undone["outcome"], undone["action_type"]) == ("restored", "session")
    assert (await marks(ada, title), await cells(ada, title)) == before
    state = (await ada.get(f"/api/titles/{title}/edit-sessions/{session}")).json()
    assert all(one["undone_at"] for one in state["actions"])
    assert state["actions_count"] == len(state["actions"]) == 9
    again = (await ada.post(path)).json()
    assert (again["outcome"], again["redo_token"]) == ("superseded", None)
    redone = await redo(ada, undone["redo_token"])
    assert (redone["outcome"], redone["action_id"]) == ("restored", undone["action_id"])
    assert (await marks(ada, title), await cells(ada, title)) == after
    assert (await undo(ada, redone["undo_token"]))["outcome"] == "restored"
    assert (await marks(ada, title), await cells(ada, title)) == before
    assert len(told(world, title, "action_undone")) == 3
    assert drift(world, title) == []


async def test_a_session_is_undone_under_what_came_later(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    session, tab = await start(ada, title), await start(ada, title)
    await stroke(ada, title, (3, 4, 1), (4, 4, 1), session_id=session)
    placed = await mark(ada, title, 50, rating=1, session_id=session)
    await paint(ada, title, 4, 2, paint_session_id=tab)
    await mark(ada, title, 50.2, rating=3, session_id=tab)
    undone = (await ada.post(f"/api/titles/{title}/undo-session/{session}")).json()
    assert undone["outcome"] == "partly_restored"
    assert undone["skipped"] == [
        {"kind": "wigg", "wigg_id": placed["id"], "reason": "newer"},
        {"kind": "painting", "start_pct": 20.0, "end_pct": 25.0, "reason": "newer"},
    ]
    assert await cells(ada, title) == [(20.0, 25.0, 2.0)]
    assert [(one["pct"], one["rating"]) for one in await marks(ada, title)] == [(50.2, 3)]
    # Once the later ones are undone, what they covered of the session stands, and can be undone.
    later = (await ada.post(f"/api/titles/{title}/undo-session/{tab}")).json()
    assert later["outcome"] == "restored"
    assert await cells(ada, title) == [(20.0, 25.0, 4.0)]
    assert drift(world, title) == []


async def test_a_session_is_undone_within_a_day_of_its_end(world: World) -> None:
    ada = await world.person()
    title = await new_title(ada)
    session = await start(ada, title)
    await paint(ada, title, 3, 4, paint_session_id=session)
    run_out(world, session)
    path = f"/api/titles/{title}/undo-session/{session}"
    ago = "update wigg.edit_sessions set ended_at = now() - interval '{}', expires_at = now() where id = %s"
    world.sql(ago.format("24 hours 1 second"), session)
    assert code_of(await ada.post(path)) == (409, "session_ended")
    world.sql(ago.format("23 hours 59 minutes"), session)
    assert (await ada.post(path)).json()["outcome"] == "restored"
    assert await cells(ada, title) == []


async def test_a_large_session_is_undone_in_moments(world: World) -> None:
    """As many actions as a session may hold, in one transaction, while others are served."""
    ada, ben = await world.person("ada"), await world.person("ben")
    title = await new_title(ada)
    session = await start(ada, title)
    first = await paint(ada, title, 3, 4, paint_session_id=session)
    # Copies of one stroke, each over the one before: what painting all day leaves.
    world.sql(
        """
        with recursive copy as (
            select 1 as n, gen_random_uuid() as id, a.id as was, a.after from wigg.edit_actions a
            where a.title_id = %(title)s
            union all
            select n + 1, gen_random_uuid(), id, after from copy where n < %(most)s
        ), linked as (
            select id, jsonb_build_object('painting', jsonb_build_array(
                       (after->'painting'->0) || jsonb_build_object('action_id', was))) as before,
                   jsonb_build_object('painting', jsonb_build_array(
                       (after->'painting'->0) || jsonb_build_object('action_id', id))) as after
            from copy order by n
        )
        insert into wigg.edit_actions (id, user_id, title_id, session_id, action_type, before, after,
                                       token_hash, created_at)
        select id, %(user)s, %(title)s, %(session)s, 'paint_segment', before, after, '', now() from linked
        """.replace("%(title)s", f"'{title}'")
        .replace("%(user)s", f"'{ada.id}'")
        .replace("%(session)s", f"'{session}'")
        .replace("%(most)s", str(MOST_ACTIONS - 1))
    )
    world.sql(
        "update wigg.paintings set action_id = (select id from wigg.edit_actions where title_id = %s"
        " order by number desc limit 1) where title_id = %s",
        title,
        title,
    )
    undoing = asyncio.create_task(ada.post(f"/api/titles/{title}/undo-session/{session}"))
    served = 0
    while not undoing.done():
        assert (await ben.get(f"/api/titles/{title}/wiggs")).status_code == 200
        served += 1
    undone = (await undoing).json()
    assert undone["outcome"] == "restored", undone
    assert await cells(ada, title) == []
    assert first["version"] < undone["version"]
    assert served > 5
    print(
        f"a session of {MOST_ACTIONS} actions undone at once; {served} other requests were served meanwhile"
    )
