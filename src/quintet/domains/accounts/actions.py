"""The verbs of accounts: sign up, log in, refresh, end sessions, change passwords.

Invariant: hashing and verifying happen outside transactions; what was decided on them is checked again
inside, so that a password changed meanwhile opens nothing.
"""

import base64
import hashlib
import secrets

from quintet.domains.accounts import queries, rules, session_queries
from quintet.domains.accounts.credentials import Proven
from quintet.domains.accounts.model import (
    Account,
    EmailTaken,
    ExternalClaims,
    ExternalSession,
    Me,
    NewAccount,
    Opened,
    UsernameTaken,
    WrongCredentials,
)
from quintet.domains.accounts.passwords import Passwords
from quintet.kernel.actor import Actor, SessionId, UserId
from quintet.kernel.database import Database, Tx
from quintet.kernel.ids import new_id
from quintet.kernel.secrets import Secrets

# No digit and no vowel: nothing that looks like something else, and no words by accident.
_SUFFIX_LETTERS = "bcdfghjkmpqtwxyz"


def check_new_account(wanted: NewAccount, *, by_operator: bool = False) -> None:
    """Raise InvalidRequest with everything that is wrong with a sign-up."""
    faults = rules.email_faults(wanted.email)
    if wanted.username is not None:
        faults += rules.username_faults(wanted.username, by_operator=by_operator)
    if wanted.display_name is not None:
        faults += rules.display_name_faults(wanted.display_name)
    password = rules.normalize_password(wanted.password)
    rules.check_faults(faults + rules.password_faults(password, (wanted.email, wanted.username)))


async def add_account(tx: Tx, wanted: NewAccount, hashed: str, *, role: str = "user") -> Me:
    """Write a new person with a password; raises EmailTaken or UsernameTaken."""
    folded = rules.fold_email(wanted.email)
    await check_free(tx, wanted)
    username = wanted.username or await free_username(tx, wanted.email.partition("@")[0])
    user = await queries.add_user(
        tx,
        new_id(),
        username,
        rules.skeleton(username),
        (wanted.display_name or username).strip(),
        wanted.email,
        folded,
        role,
        email_verified=False,
    )
    await queries.add_password(tx, user.id, hashed)
    return user


async def check_free(tx: Tx, wanted: NewAccount) -> None:
    """Raise EmailTaken or UsernameTaken."""
    if await queries.is_email_taken(tx, rules.fold_email(wanted.email)):
        raise EmailTaken
    if wanted.username and await queries.taken_skeletons(tx, [rules.skeleton(wanted.username)]):
        raise UsernameTaken


async def free_username(tx: Tx, name: str) -> str:
    """A valid username nobody has, as near to `name` as may be."""
    suffixes = ["".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(6)) for _ in range(3)]
    candidates = [*rules.username_candidates(name, suffixes), f"user-{suffixes[0]}"]
    taken = set(await queries.taken_skeletons(tx, [rules.skeleton(one) for one in candidates]))
    # Were all of them taken, the unique index would refuse and the transaction would draw anew.
    return next((one for one in candidates if rules.skeleton(one) not in taken), candidates[-1])


async def open_session(tx: Tx, user: Me, user_agent: str, address_mac: bytes) -> Opened:
    """Sign a person in who has just proved who they are."""
    session_id, token = SessionId(new_id()), secrets.token_urlsafe(32)
    await session_queries.add_session(tx, session_id, user.id, user_agent)
    await session_queries.add_refresh_token(tx, digest(token), session_id)
    await queries.trust_address(tx, user.id, address_mac)
    return Opened(session_id, token, user)


async def log_in(tx: Tx, proven: Proven, user_agent: str, address_mac: bytes) -> Opened:
    """Open a session for whoever knew the password; raises WrongCredentials when it was changed meanwhile."""
    user_id = proven.known.user_id
    if await queries.lock_password(tx, user_id) != proven.known.changed_at:
        raise WrongCredentials
    if proven.rehashed is not None:
        await queries.set_hash(tx, user_id, proven.rehashed)
    return await open_session(tx, await queries.me(tx, user_id), user_agent, address_mac)


async def refresh_session(
    tx: Tx, server_secrets: Secrets, session_id: SessionId, token: str
) -> Opened | None:
    """Exchange a refresh token for its child; None where it is good for nothing.

    A spent one ends the session, except that the parent of a child nobody has used yet is told that child
    again for ten seconds: its answer may have been lost on the way. None instead of a refusal, because the
    session's end must be committed.
    """
    session = await session_queries.lock_session(tx, session_id)
    state = await session_queries.refresh_token_state(tx, digest(token))
    if session is None or session.ended or state is None:
        return None
    child = child_of(server_secrets, token)
    if state.spent:
        child_state = await session_queries.refresh_token_state(tx, digest(child))
        if not state.just_spent or child_state is None or child_state.spent:
            await session_queries.end_session(tx, session.user_id, session.id)
            return None
    elif state.expired:
        return None
    else:
        await session_queries.spend_refresh_token(tx, digest(token))
        await session_queries.add_refresh_token(tx, digest(child), session.id)
    return Opened(session.id, child, await queries.me(tx, session.user_id))


def digest(token: str) -> bytes:
    """How a refresh token is stored; its 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def child_of(server_secrets: Secrets, token: str) -> str:
    """The refresh token that follows on `token`: derived, so that it can be told again unstored."""
    return base64.urlsafe_b64encode(server_secrets.mac("refresh", token)).decode().rstrip("=")


async def change_password(tx: Tx, actor: Actor, proven: Proven, hashed: str) -> list[SessionId]:
    """Replace a password just proven, and end every other session; which. Raises WrongCredentials."""
    if await queries.lock_password(tx, actor.id) != proven.known.changed_at:
        raise WrongCredentials
    await queries.set_password(tx, actor.id, hashed)
    return await session_queries.end_other_sessions(tx, actor.id, actor.session_id)


async def enter_external_session(tx: Tx, claims: ExternalClaims) -> ExternalSession:
    """The session of a verified outside token; the first sight of an identity creates its account.

    Two first sights at once: one hits the unique index, runs anew and finds the other's account. An e-mail
    somebody here has already is left out: vouching for an address is no proof of owning the account.
    """
    found = await queries.external_session(tx, claims.issuer, claims.subject, claims.session)
    if found is not None:
        return found
    identity = await queries.identity(tx, claims.issuer, claims.subject)
    if identity is None:
        identity_id, user_id = new_id(), await _add_external_user(tx, claims)
        await queries.add_identity(tx, identity_id, user_id, claims.issuer, claims.subject)
    else:
        identity_id, user_id = identity
    session_id = SessionId(new_id())
    await session_queries.add_external_session(
        tx, session_id, user_id, identity_id, claims.session, claims.expires_at
    )
    return ExternalSession(session_id, user_id)


async def _add_external_user(tx: Tx, claims: ExternalClaims) -> UserId:
    email = claims.email
    if email is not None and await queries.is_email_taken(tx, rules.fold_email(email)):
        email = None
    username = await free_username(tx, claims.name)
    user = await queries.add_user(
        tx,
        new_id(),
        username,
        rules.skeleton(username),
        username,
        email,
        None if email is None else rules.fold_email(email),
        "user",
        email_verified=email is not None,
    )
    return user.id


async def make_admin(database: Database, email: str, username: str, password: str) -> Account:
    """Create an account with the role admin, for whoever runs the server.

    Raises InvalidRequest, EmailTaken or UsernameTaken, whose text says what is wrong.
    """
    wanted = NewAccount(email, password, username)
    check_new_account(wanted, by_operator=True)
    hashed = await Passwords().hash(rules.normalize_password(password))
    return await database.transact(lambda tx: add_account(tx, wanted, hashed, role="admin"))
