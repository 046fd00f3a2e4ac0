"""The edge of accounts: each operation under `/auth` and under `/api/v1/auth`.

Invariant: an answer that holds a token is `no-store`; nothing here takes an Idempotency-Key, since what it
would keep is secrets.
"""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from quintet.domains.accounts import actions, queries, rules, session_queries
from quintet.domains.accounts.authentication import gate_of
from quintet.domains.accounts.credentials import prove_login, prove_password
from quintet.domains.accounts.model import (
    Credentials,
    EmailTaken,
    InvalidRefreshToken,
    Me,
    NewAccount,
    NoPassword,
    Opened,
    PasswordChange,
    Refresh,
    Session,
    SessionRow,
    SignedIn,
    UsernameTaken,
    WrongCredentials,
)
from quintet.kernel.actor import Access, Actor, SessionId
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Cursor, Limit, Page, delete, get, post
from quintet.kernel.http.paging import cut
from quintet.kernel.limits import check_allowances
from quintet.kernel.refusals import InvalidCursor, InvalidRequest, NotFound, RateLimited, Unavailable
from quintet.kernel.tokens import LIFETIME_SECONDS

_TAG = "Accounts"
_ME = {"id": "01978a3e-4c11-7cc0-9d6f-0d9a4e0f7a10", "username": "ada", "display_name": "Ada",
       "email": "ada@example.com", "email_verified": False, "role": "user",
       "created_at": "2025-06-01T12:00:00.000Z"}  # fmt: skip
_EXAMPLE = "a long walk in the rain"
_SESSION = {"id": "01978a3e-4c12-7a01-8b11-5f2f7f2a9c55", "created_at": "2025-06-01T12:00:00.000Z",
            "last_seen_at": "2025-06-01T12:10:00.000Z", "user_agent": "Firefox", "current": True}  # fmt: skip
_MOST_BYTES = 16 * 1024


def _under(*names: str) -> list[str]:
    return [f"{prefix}/{name}" for name in names for prefix in ("/auth", "/api/v1/auth")]


@post(*_under("signup", "register"), access=Access.PUBLIC, tag=_TAG, summary="Create an account and sign in",
      refusals=(EmailTaken, UsernameTaken, InvalidRequest, Unavailable), limits=("auth",), reads_token=False,
      idempotent=False, secret=True, most_bytes=_MOST_BYTES,
      example={"email": "ada@example.com", "username": "ada", "password": _EXAMPLE})  # fmt: skip
async def sign_up(request: Call, data: JSONBody[NewAccount]) -> Answer[SignedIn]:
    """Create an account; without a username one is made of the e-mail's local part."""
    actions.check_new_account(data)
    async with request.kernel.database.statement() as tx:
        await actions.check_free(tx, data)
    hashed = await gate_of(request).passwords.hash(rules.normalize_password(data.password))

    async def act(tx: Tx) -> Opened:
        user = await actions.add_account(tx, data, hashed)
        return await actions.open_session(tx, user, _user_agent(request), _address_mac(request))

    return _signed_in(request, await request.kernel.database.transact(act))


@post(*_under("login"), access=Access.PUBLIC, tag=_TAG, summary="Sign in with a password", status=200,
      refusals=(WrongCredentials, InvalidRequest, RateLimited, Unavailable), limits=("auth",),
      reads_token=False, idempotent=False, secret=True, most_bytes=_MOST_BYTES,
      example={"username": "ada", "password": _EXAMPLE})  # fmt: skip
async def log_in(request: Call, data: JSONBody[Credentials]) -> Answer[SignedIn]:
    """Sign in by e-mail or username; unknown account and wrong password are one answer in one time."""
    user_agent, mac = _user_agent(request), _address_mac(request)
    proven = await prove_login(request.kernel, gate_of(request).passwords, data, mac)
    opened = await request.kernel.database.transact(lambda tx: actions.log_in(tx, proven, user_agent, mac))
    return _signed_in(request, opened)


@post(*_under("refresh"), access=Access.PUBLIC, tag=_TAG, summary="Exchange a refresh token for a new one",
      status=200, refusals=(InvalidRefreshToken, InvalidRequest, RateLimited), reads_token=False,
      idempotent=False, secret=True, most_bytes=_MOST_BYTES,
      example={"refresh_token": "q3JxHh1mYVd2c0hQb2xvd25nZXIgdGhhbiB0aGlz"})  # fmt: skip
async def refresh(request: Call, data: JSONBody[Refresh]) -> Answer[SignedIn]:
    """Each refresh token is good once; a spent one that is used again ends its session."""
    kernel = request.kernel
    async with kernel.database.statement() as tx:
        session_id = await session_queries.session_of_token(tx, actions.digest(data.refresh_token))
    if session_id is None:
        raise InvalidRefreshToken
    await _count_refresh(request, session_id)
    opened = await kernel.database.transact(
        lambda tx: actions.refresh_session(tx, kernel.secrets, session_id, data.refresh_token)
    )
    if opened is None:
        gate_of(request).states.forget(session_id)
        raise InvalidRefreshToken
    return _signed_in(request, opened)


@post(*_under("logout"), access=Access.SIGNED_IN, tag=_TAG, summary="End this session", status=204,
      idempotent=False)  # fmt: skip
async def log_out(request: Call) -> Answer[None]:
    """End the session of the access token, with every token that came of it."""
    await _end(request, request.actor.session_id)
    return Answer(None)


@get(*_under("me", "profile"), access=Access.SIGNED_IN, tag=_TAG, summary="Who one is", example=_ME)
async def show_me(request: Call) -> Answer[Me]:
    """Answer one's own account."""
    async with request.kernel.database.statement() as tx:
        return Answer(await queries.me(tx, request.actor.id))


@post(*_under("change-password"), access=Access.SIGNED_IN, tag=_TAG, summary="Change one's password",
      status=204, refusals=(WrongCredentials, NoPassword, InvalidRequest, RateLimited, Unavailable),
      idempotent=False, most_bytes=_MOST_BYTES,
      example={"current_password": _EXAMPLE, "new_password": "a long walk in the snow"})  # fmt: skip
async def change_password(request: Call, data: JSONBody[PasswordChange]) -> Answer[None]:
    """Replace the password; every other session ends."""
    kernel, gate, actor = request.kernel, gate_of(request), request.actor
    async with kernel.database.statement() as tx:
        known = await queries.password_of(tx, actor.id)
    if known.hash is None:
        raise NoPassword
    password = rules.normalize_password(data.new_password)
    names = (known.email, known.username)
    rules.check_faults(rules.password_faults(password, names, pointer="/new_password"))
    # A key of its own: guessing here must not lock the owner out of logging in.
    guessed = f"change:{actor.id}"
    proven = await prove_password(kernel, gate.passwords, known, data.current_password, guessed)
    hashed = await gate.passwords.hash(password)
    for ended in await kernel.database.transact(
        lambda tx: actions.change_password(tx, actor, proven, hashed)
    ):
        gate.states.forget(ended)
    return Answer(None)


@get(*_under("sessions"), access=Access.SIGNED_IN, tag=_TAG, summary="Where one is signed in",
     refusals=(InvalidCursor,), example={"items": [_SESSION], "next_cursor": None})  # fmt: skip
async def list_sessions(request: Call, limit: Limit = 20, cursor: Cursor = None) -> Answer[Page[Session]]:
    """One's living sessions, newest first."""
    actor, place = request.actor, request.read_cursor(cursor, str(request.actor.id))
    before = None if place is None else UUID(place[0])
    async with request.kernel.database.statement() as tx:
        rows = await session_queries.living_sessions(tx, actor.id, before, limit + 1)
    rows, end = cut(rows, limit, lambda row: [str(row.id)])
    items = [_shown(row, actor) for row in rows]
    return Answer(Page(items, request.next_cursor(end, str(actor.id))))


@delete(*_under("sessions/{session_id:uuid}"), access=Access.SIGNED_IN, tag=_TAG, summary="End one session",
        refusals=(NotFound,), idempotent=False)  # fmt: skip
async def end_session(request: Call, session_id: FromPath[UUID]) -> Answer[None]:
    """End one of one's own sessions; anybody else's is not there."""
    if not await _end(request, session_id):
        raise NotFound
    return Answer(None)


@delete(*_under("sessions"), access=Access.SIGNED_IN, tag=_TAG, summary="End all other sessions",
        idempotent=False)  # fmt: skip
async def end_other_sessions(request: Call) -> Answer[None]:
    """End every session of one's own but this."""
    actor = request.actor
    for ended in await request.kernel.database.transact(
        lambda tx: session_queries.end_other_sessions(tx, actor.id, actor.session_id)
    ):
        gate_of(request).states.forget(ended)
    return Answer(None)


def _shown(row: SessionRow, actor: Actor) -> Session:
    current = row.id == actor.session_id
    return Session(row.id, row.created_at, row.last_seen_at, row.user_agent, current)


async def _end(request: Call, session_id: UUID) -> bool:
    ended = await request.kernel.database.transact(
        lambda tx: session_queries.end_session(tx, request.actor.id, session_id)
    )
    gate_of(request).states.forget(session_id)
    return ended


async def _count_refresh(request: Call, session_id: SessionId) -> None:
    kernel, allowances = request.kernel, request.call_state.allowances
    allowance = await kernel.limits.take("refresh", str(session_id), kernel.settings.limit("refresh"))
    if allowance.retry_after_seconds:
        kernel.metrics.rate_limited.labels("refresh").inc()
    allowances.append(allowance)
    check_allowances(allowances)


def _signed_in(request: Call, opened: Opened) -> Answer[SignedIn]:
    user = opened.user
    access_token = request.kernel.tokens.issue(user.id, opened.session_id, user.role)
    body = SignedIn(access_token, opened.refresh_token, "bearer", LIFETIME_SECONDS, user)
    return Answer(body, secret=True)


def _user_agent(request: Call) -> str:
    """What the client calls itself; only its owner ever sees it."""
    return "".join(one for one in request.headers.get("user-agent", "") if one.isprintable())[:256]


def _address_mac(request: Call) -> bytes:
    return request.kernel.secrets.mac("address", request.call_state.address)


ROUTES = (
    sign_up,
    log_in,
    refresh,
    log_out,
    show_me,
    change_password,
    list_sessions,
    end_session,
    end_other_sessions,
)
