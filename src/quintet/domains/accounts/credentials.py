"""Proving a password: whom a login speaks of, how often one may guess, and whether it was right.

Invariant: an unknown account costs the same steps as a wrong password, so neither the answer nor its time
nor a limit tells which accounts there are.
"""

import msgspec

from quintet.domains.accounts import queries, rules
from quintet.domains.accounts.model import Credentials, KnownPassword, WrongCredentials
from quintet.domains.accounts.passwords import Passwords
from quintet.kernel.http.call import Kernel
from quintet.kernel.limits import check_allowances
from quintet.kernel.refusals import Fault, InvalidRequest, Unavailable


class Proven(msgspec.Struct, frozen=True):
    """A password that was right; `rehashed` where the stored hash was made with older parameters."""

    known: KnownPassword
    rehashed: str | None


async def prove_login(kernel: Kernel, passwords: Passwords, login: Credentials, address_mac: bytes) -> Proven:
    """Verify a login, counting failures against its account unless the address signed in there lately.

    Raises InvalidRequest, RateLimited, WrongCredentials, or Unavailable when too many hash.
    """
    _check_one_name(login)
    async with kernel.database.statement() as tx:
        if login.email is not None:
            known = await queries.password_by_email(tx, rules.fold_email(login.email), address_mac)
        else:
            name = login.username or ""
            known = await queries.password_by_username(tx, rules.skeleton(name), name, address_mac)
    if known is not None:
        guessed = None if known.trusted else f"account:{known.user_id}"
    else:
        name = (login.email or login.username or "").casefold()
        guessed = f"account:{kernel.secrets.mac('address', 'unknown account', name).hex()}"
    return await prove_password(kernel, passwords, known, login.password, guessed)


async def prove_password(
    kernel: Kernel, passwords: Passwords, known: KnownPassword | None, password: str, guessed: str | None
) -> Proven:
    """Verify a password; a wrong one costs a cell of the limit's key `guessed`, where there is one.

    The cell is taken before and given back after, so that many guesses at once are no way around it.
    """
    limit = kernel.settings.limit("auth")
    if guessed is not None:
        allowance = await kernel.limits.take("auth", guessed, limit)
        if allowance.retry_after_seconds:
            kernel.metrics.rate_limited.labels("auth").inc()
            check_allowances([allowance])
    password = rules.normalize_password(password)
    try:
        right = await passwords.verify(None if known is None else known.hash, password)
        if known is None or known.hash is None or not right:
            raise WrongCredentials
        rehashed = await passwords.hash(password) if passwords.is_outdated(known.hash) else None
    except Unavailable:
        await _give_back(kernel, guessed)
        raise
    await _give_back(kernel, guessed)
    return Proven(known, rehashed)


async def _give_back(kernel: Kernel, guessed: str | None) -> None:
    if guessed is not None:
        await kernel.limits.give_back("auth", guessed, kernel.settings.limit("auth"))


def _check_one_name(login: Credentials) -> None:
    if login.email is None and login.username is None:
        fault = Fault("missing", "email or username is needed", pointer="/email")
    elif login.email is not None and login.username is not None:
        fault = Fault("unknown_field", "email or username, not both", pointer="/username")
    else:
        return
    raise InvalidRequest(fault.message, errors=[fault])
