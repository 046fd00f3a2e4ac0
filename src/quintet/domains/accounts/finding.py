"""Finding people by their usernames, and by whatever an operator's old data calls them."""

from collections.abc import Iterable
from uuid import UUID

from quintet.domains.accounts import queries
from quintet.domains.accounts.model import Account
from quintet.domains.accounts.rules import USERNAME_MAX, fold_email, skeleton
from quintet.kernel.actor import UserId
from quintet.kernel.database import Tx


async def users_named(tx: Tx, names: Iterable[str]) -> dict[str, UserId]:
    """Who the names stand for: each an id, an e-mail address or a username; unknown ones are left out."""
    asked = list(dict.fromkeys(names))
    ids = {name: user_id for name in asked if (user_id := _id_of(name)) is not None}
    rows = await queries.users_by_any(
        tx, list(ids.values()), [fold_email(name) for name in asked], [skeleton(name) for name in asked]
    )
    by_id = {row.id: row.id for row in rows}
    by_email = {row.email_folded: row.id for row in rows if row.email_folded}
    by_skeleton = {row.username_skeleton: row.id for row in rows}
    found: dict[str, UserId] = {}
    for name in asked:
        user_id = (
            by_id.get(UserId(ids[name])) if name in ids
            else by_email.get(fold_email(name)) or by_skeleton.get(skeleton(name))
        )  # fmt: skip
        if user_id is not None:
            found[name] = user_id
    return found


async def account_named(tx: Tx, username: str) -> Account | None:
    """The person of that username, in whatever case it is written; None where nobody has it."""
    if len(username) > USERNAME_MAX:
        return None
    return await queries.account_by_username(tx, skeleton(username), username)


def _id_of(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
