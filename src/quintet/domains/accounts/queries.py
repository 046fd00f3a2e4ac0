"""Reads and writes of people, passwords, identities and addresses: one statement each.

Invariant: no statement here touches another schema's tables.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from quintet.domains.accounts.model import Account, ExternalSession, IdentityId, KnownPassword, Me
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx


async def is_email_taken(tx: Tx, email_folded: str) -> bool:
    """Whether somebody has the address."""
    return await tx.value("select exists (select from accounts.users where email_folded = $1)", email_folded)


async def taken_skeletons(tx: Tx, skeletons: list[str]) -> list[str]:
    """Those of the skeletons that somebody's username has."""
    return await tx.all(
        str, "select username_skeleton from accounts.users where username_skeleton = any($1)", skeletons
    )


async def add_user(
    tx: Tx,
    user_id: UUID,
    username: str,
    skeleton: str,
    display_name: str,
    email: str | None,
    email_folded: str | None,
    role: str,
    *,
    email_verified: bool,
) -> Me:
    """Write a new person."""
    return await tx.one(
        Me,
        """
        insert into accounts.users
            (id, username, username_skeleton, display_name, email, email_folded, role, email_verified_at)
        values ($1, $2, $3, $4, $5, $6, $7, case when $8 then now() end)
        returning id, username, display_name, email, email_verified_at is not null, role, created_at
        """,
        user_id,
        username,
        skeleton,
        display_name,
        email,
        email_folded,
        role,
        email_verified,
    )


async def me(tx: Tx, user_id: UUID) -> Me:
    """A person as they see themselves."""
    return await tx.one(
        Me,
        """
        select id, username, display_name, email, email_verified_at is not null, role, created_at
        from accounts.users where id = $1
        """,
        user_id,
    )


async def accounts_of(tx: Tx, user_ids: list[UserId]) -> list[Account]:
    """What everybody may know of these people, in no order; those unknown are left out."""
    return await tx.all(
        Account, "select id, username, display_name from accounts.people where id = any($1)", user_ids
    )


async def account_by_username(tx: Tx, skeleton: str, username: str) -> Account | None:
    """The person of that username; a look-alike is not the name."""
    return await tx.maybe(
        Account,
        """
        select id, username, display_name from accounts.users
        where username_skeleton = $1 and lower(username) = lower($2)
        """,
        skeleton,
        username,
    )


class NamedUser(msgspec.Struct, frozen=True):
    """A person by all that is unique about them."""

    id: UserId
    username_skeleton: str
    email_folded: str | None


async def users_by_any(
    tx: Tx, ids: list[UUID], emails_folded: list[str], skeletons: list[str]
) -> list[NamedUser]:
    """People by id, by e-mail address or by username, in no order."""
    return await tx.all(
        NamedUser,
        """
        select id, username_skeleton, email_folded from accounts.users
        where id = any($1) or email_folded = any($2) or username_skeleton = any($3)
        """,
        ids,
        emails_folded,
        skeletons,
    )


async def add_password(tx: Tx, user_id: UUID, hashed: str) -> None:
    """Write a new person's password."""
    await tx.run("insert into accounts.passwords (user_id, hash) values ($1, $2)", user_id, hashed)


async def password_by_email(tx: Tx, email_folded: str, address_mac: bytes) -> KnownPassword | None:
    """What a login by e-mail from that address is checked against."""
    return await tx.maybe(
        KnownPassword,
        """
        select u.id, p.hash, p.changed_at, u.username, u.email, t.user_id is not null
        from accounts.users u
        left join accounts.passwords p on p.user_id = u.id
        left join accounts.trusted_addresses t
            on t.user_id = u.id and t.address_mac = $2 and t.seen_at > now() - interval '30 days'
        where u.email_folded = $1
        """,
        email_folded,
        address_mac,
    )


async def password_by_username(
    tx: Tx, skeleton: str, username: str, address_mac: bytes
) -> KnownPassword | None:
    """What a login by username from that address is checked against; a look-alike is not the name."""
    return await tx.maybe(
        KnownPassword,
        """
        select u.id, p.hash, p.changed_at, u.username, u.email, t.user_id is not null
        from accounts.users u
        left join accounts.passwords p on p.user_id = u.id
        left join accounts.trusted_addresses t
            on t.user_id = u.id and t.address_mac = $3 and t.seen_at > now() - interval '30 days'
        where u.username_skeleton = $1 and lower(u.username) = lower($2)
        """,
        skeleton,
        username,
        address_mac,
    )


async def password_of(tx: Tx, user_id: UUID) -> KnownPassword:
    """What a signed-in person's present password is checked against."""
    return await tx.one(
        KnownPassword,
        """
        select u.id, p.hash, p.changed_at, u.username, u.email, true
        from accounts.users u left join accounts.passwords p on p.user_id = u.id
        where u.id = $1
        """,
        user_id,
    )


async def lock_password(tx: Tx, user_id: UUID) -> datetime | None:
    """When the password was last changed; nobody else can change it until this transaction ends."""
    return await tx.value(
        "select changed_at from accounts.passwords where user_id = $1 for no key update", user_id
    )


async def set_password(tx: Tx, user_id: UUID, hashed: str) -> None:
    """Replace the hash of a new password."""
    await tx.run(
        "update accounts.passwords set hash = $2, changed_at = now() where user_id = $1", user_id, hashed
    )


async def set_hash(tx: Tx, user_id: UUID, hashed: str) -> None:
    """Replace the hash of the same password."""
    await tx.run("update accounts.passwords set hash = $2 where user_id = $1", user_id, hashed)


async def trust_address(tx: Tx, user_id: UUID, address_mac: bytes) -> None:
    """Remember that the person signed in from there just now."""
    await tx.run(
        """
        insert into accounts.trusted_addresses (user_id, address_mac) values ($1, $2)
        on conflict (user_id, address_mac) do update set seen_at = now()
        """,
        user_id,
        address_mac,
    )


async def identity(tx: Tx, issuer: str, subject: str) -> tuple[IdentityId, UserId] | None:
    """Whom an outside identity belongs to here."""
    return await tx.maybe(
        _pair,
        "select id, user_id from accounts.identities where issuer = $1 and subject = $2",
        issuer,
        subject,
    )


def _pair(identity_id: IdentityId, user_id: UserId) -> tuple[IdentityId, UserId]:
    return identity_id, user_id


async def add_identity(tx: Tx, identity_id: UUID, user_id: UUID, issuer: str, subject: str) -> None:
    """Write whom an outside identity belongs to."""
    await tx.run(
        "insert into accounts.identities (id, user_id, issuer, subject) values ($1, $2, $3, $4)",
        identity_id,
        user_id,
        issuer,
        subject,
    )


async def external_session(tx: Tx, issuer: str, subject: str, external_id: str) -> ExternalSession | None:
    """The session an outside token belongs to, ended or not."""
    return await tx.maybe(
        ExternalSession,
        """
        select s.id, s.user_id
        from accounts.identities i join accounts.sessions s on s.identity_id = i.id
        where i.issuer = $1 and i.subject = $2 and s.external_id = $3
        """,
        issuer,
        subject,
        external_id,
    )


async def remove_old_addresses(tx: Tx, most: int) -> int:
    """Forget addresses not seen for 30 days, at most so many; how many."""
    return await tx.run(
        """
        delete from accounts.trusted_addresses where (user_id, address_mac) in (
            select user_id, address_mac from accounts.trusted_addresses
            where seen_at <= now() - interval '30 days' limit $1
        )
        """,
        most,
    )
