"""The matrix of callers: every route by everybody, and what each may get.

A route without an entry in `CALLS` fails the suite: whoever adds one says here how it is called, and what
strangers get of somebody else's.
"""

import re
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog
from tests.architecture.calling import WHISPERED, Stage, Told
from tests.architecture.calls import CALLS, edit_again
from tests.clock import Stopwatch
from tests.world import Person, World, code_of, mark, new_title

from quintet.app import build_app
from quintet.kernel.actor import Access
from quintet.kernel.http.call import Rules
from quintet.kernel.tokens import Tokens, signing_keys
from quintet.settings import load_settings

CALLERS = ("anonymous", "expired", "garbage", "stranger", "owner", "moderator", "admin")
ROLES = {
    "stranger": Access.SIGNED_IN,
    "owner": Access.SIGNED_IN,
    "moderator": Access.MODERATOR,
    "admin": Access.ADMIN,
}
INSIDES = ("Traceback", "psycopg", "argon2", "select ", "insert into", "/src/", ".py", "$argon2")


def routes() -> dict[tuple[str, str], Rules]:
    """Every route of the application, from the application itself."""
    app: Any = build_app(load_settings({}, dotenv=None), "postgresql:///nowhere").app
    return {
        (method, route.path_format): handler.opt["rules"]
        for route in app.routes
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS"
    }


ROUTES = routes()


def test_every_route_is_in_the_matrix() -> None:
    assert set(ROUTES) == set(CALLS), "say in CALLS how the route is called, and what strangers get"


def sign_in(world: World, user_id: str, role: str, *, times: int = 1) -> list[tuple[str, str]]:
    """New sessions of somebody's: their access tokens and ids."""
    sessions = [uuid4() for _ in range(times)]
    world.sql(
        "insert into accounts.sessions (id, user_id, user_agent, expires_at)"
        " select id, %s, '', now() + interval '1 day' from unnest(%s::uuid[]) as session(id)",
        user_id,
        sessions,
    )
    issue = world.kernel.tokens.issue
    return [(issue(UUID(user_id), session_id, role), str(session_id)) for session_id in sessions]


def expected(rules: Rules, told: Told, caller: str) -> int:
    """The status a caller gets, by what the route declares and the table says."""
    if caller in {"expired", "garbage"} and rules.reads_token:
        return 401
    if caller in ROLES:
        if ROLES[caller] < rules.access:
            return 403
        if caller in {"moderator", "admin"} and told.staff is not None:
            return told.staff
        if caller != "owner" and told.others is not None:
            return told.others
    elif rules.access > Access.PUBLIC:
        return 401
    return told.status


@pytest.fixture(scope="module")
async def cast(world: World) -> dict[str, Person]:
    return {
        "owner": await world.person("ada"),
        "stranger": await world.person("ben"),
        "moderator": await world.person("mo", role="moderator"),
        "admin": await world.person("root", role="admin"),
    }


async def test_everybody_gets_what_is_theirs(world: World, cast: dict[str, Person]) -> None:
    """Every route by every caller: the declared status, no 5xx, nothing of somebody else's."""
    past = Stopwatch()
    past.go(hours=-1)
    expiring = Tokens(world.kernel.tokens.issuer, await signing_keys(world.kernel.database), past)
    ada = cast["owner"]
    title = await new_title(ada)
    stage = Stage(ada, title, (await mark(ada, title, 50, note=WHISPERED))["id"], "")
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    claims = world.kernel.tokens.verify(ada.access_token)
    tokens = {
        "garbage": "eyJhbGciOiJub25lIn0.e30.",
        "expired": expiring.issue(claims.user_id, claims.session_id, "admin"),
    }
    for (method, path), told in CALLS.items():
        rules = ROUTES[method, path]
        # New ones for each route, since some end sessions; that the token lies about the role gains nothing.
        tokens |= {caller: sign_in(world, person.id, "admin")[0][0] for caller, person in cast.items()}
        spare = sign_in(world, ada.id, "user", times=len(CALLERS))
        for caller in CALLERS:
            stage.session_id = spare.pop()[1]
            if told.before is not None:
                await told.before(world, stage)
            headers = {"Authorization": f"Bearer {tokens[caller]}"} if caller in tokens else {}
            made = told.make(stage)
            body = {} if made.body is None else {"json": made.body}
            with structlog.testing.capture_logs():  # rendering them takes longer than the calls
                answer = await world.http.request(
                    "HEAD" if rules.streams else method, made.path, headers=headers, **body
                )
            counts[f"{answer.status_code // 100}xx"] += 1
            due = expected(rules, told, caller)
            if answer.status_code != due:
                wrong.append(f"{method} {path} for {caller}: {answer.status_code}, not {due}")
            own = {WHISPERED, ada.email, ada.refresh_token, stage.session_id} | {
                one for one in (stage.edit_session_id, stage.undo_token, stage.redo_token) if one
            }
            wrong += [f"{method} {path} for {caller} shows {one!r}" for one in shown(path, answer.text)]
            wrong += [
                f"{method} {path} for {caller} leaks {one!r}"
                for one in own
                if one in answer.text and caller != "owner"
            ]
    print(f"{len(CALLS)} routes x {len(CALLERS)} callers: {dict(counts)}, {len(wrong)} wrong")
    assert wrong == []
    assert counts["5xx"] == 0
    assert sum(counts.values()) == len(ROUTES) * len(CALLERS)


def shown(path: str, text: str) -> list[str]:
    """What an answer shows of our insides; the reference may well speak of them."""
    if path in {"/docs", "/openapi.json"} or path.startswith("/stage/"):  # a `<select>` there is no statement
        return []
    return [word for word in INSIDES if word in text]


async def test_missing_and_anothers_look_alike(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    title = await new_title(ada)
    theirs = (await mark(ada, title, 50))["id"]
    session = sign_in(world, ada.id, "user")[0][1]
    edits = Stage(ada, title, theirs, session)
    await edit_again(world, edits)
    for method, path, others, missing in (
        ("GET", f"/api/titles/{title}/edit-sessions/{{}}", edits.edit_session_id, str(uuid4())),
        ("POST", f"/api/titles/{title}/edit-sessions/{{}}/heartbeat", edits.edit_session_id, str(uuid4())),
        ("POST", f"/api/titles/{title}/edit-sessions/{{}}/end", edits.edit_session_id, str(uuid4())),
        ("POST", f"/api/titles/{title}/undo-session/{{}}", edits.edit_session_id, str(uuid4())),
        ("POST", "/api/undo/{}", edits.undo_token, "A" * 48),
        ("POST", "/api/redo/{}", edits.redo_token, "A" * 48),
        ("PATCH", f"/api/titles/{title}/wiggs/{{}}", theirs, str(uuid4())),
        ("DELETE", f"/api/titles/{title}/wiggs/{{}}", theirs, str(uuid4())),
        ("DELETE", "/auth/sessions/{}", session, str(uuid4())),
    ):
        body = {"json": {"rating": 1}} if method == "PATCH" else {}
        told = [(await ben.call(method, path.format(one), **body)).json() for one in (others, missing)]
        for one in told:
            del one["request_id"]
        assert told[0] == told[1]


@pytest.mark.parametrize(("method", "path"), sorted(key for key, rules in ROUTES.items() if rules.access))
async def test_strangers_are_refused_before_their_body_is_read(world: World, method: str, path: str) -> None:
    """What is wrong with a body is told only to whom the route is for."""
    names = re.findall(r"{(\w+)}", path)
    plain = {"title_id": "t", "segment_index": "3", "undo_token": "t", "redo_token": "t"}
    address = path.format(**{name: plain.get(name) or uuid4() for name in names})
    body = {"content": b"[" * 40, "headers": {"Content-Type": "text/nonsense"}} if method != "GET" else {}
    assert code_of(await world.http.request(method, address, **body)) == (401, "not_signed_in")
