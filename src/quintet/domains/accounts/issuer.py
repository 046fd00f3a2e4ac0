"""Tokens of an outside issuer (any OpenID Connect provider): verified, then led to a session here.

Invariant: a token is believed only by a key of the configured JWKS address, under that key's one
algorithm; nothing the token itself names (`jwk`, `jku`, `x5u`, `crit`) is ever followed.
"""

import base64
from collections import OrderedDict
from typing import Any, Final

import jwt
import msgspec

from quintet.domains.accounts import queries, rules
from quintet.domains.accounts.actions import enter_external_session
from quintet.domains.accounts.jwks import KeySet, PublicKey
from quintet.domains.accounts.model import ExternalClaims, ExternalSession
from quintet.kernel.clock import Clock
from quintet.kernel.database import Database
from quintet.kernel.refusals import NotSignedIn
from quintet.settings import Settings

LEEWAY_SECONDS: Final = 30
_LONGEST_ID = 255
_END_OF_TIME = 32_503_680_000  # the year 3000
_MOST_TOKENS = 20_000


class _Peek(msgspec.Struct):
    iss: str = ""


class _Known(msgspec.Struct, frozen=True):
    session: ExternalSession
    kid: str
    key: PublicKey
    expires_at: float


class ExternalIssuer:
    """One outside issuer, as the settings name it."""

    def __init__(self, settings: Settings, keys: KeySet, database: Database, clock: Clock) -> None:
        self._issuer = settings.oidc_issuer
        self._audiences = settings.oidc_audiences
        self._authorized_parties = settings.oidc_authorized_parties
        self._keys = keys
        self._database = database
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()

    @classmethod
    def from_settings(cls, settings: Settings, database: Database, clock: Clock) -> "ExternalIssuer | None":
        """The issuer the settings name, or None; our own name never is one."""
        if not settings.oidc_issuer or settings.oidc_issuer == settings.issuer:
            return None
        return cls(settings, KeySet(settings.oidc_jwks_url, clock), database, clock)

    def claims_issue_of(self, token: str) -> bool:
        """Whether the token says that it is this issuer's; it chooses the verifier and proves nothing."""
        try:
            payload = token.split(".")[1]
            peek = msgspec.json.decode(
                base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=_Peek
            )
        except (IndexError, ValueError, RecursionError):
            return False
        return peek.iss == self._issuer

    async def session_of(self, token: str) -> tuple[ExternalSession, float]:
        """The session the token belongs to, begun at its first sight; and when the token runs out (Unix).

        Raises NotSignedIn, or Unavailable while the issuer's keys cannot be had.
        """
        known = self._known.get(token)
        # A key that was withdrawn or replaced takes what it signed with it.
        if known is None or await self._keys.key(known.kid) != known.key:
            known = await self._learn(token)
            self._known[token] = known
            if len(self._known) > _MOST_TOKENS:
                self._known.popitem(last=False)
        if known.expires_at + LEEWAY_SECONDS < self._clock.now().timestamp():
            self.forget(token)
            raise NotSignedIn("the access token has expired")
        return known.session, known.expires_at

    def forget(self, token: str) -> None:
        """Look the token up anew when it comes again."""
        self._known.pop(token, None)

    async def _learn(self, token: str) -> _Known:
        kid, key = await self._key_of(token)
        claims = self._verify(token, key)
        async with self._database.statement() as tx:
            session = await queries.external_session(tx, claims.issuer, claims.subject, claims.session)
        if session is None:
            session = await self._database.transact(lambda tx: enter_external_session(tx, claims))
        return _Known(session, kid, key, claims.expires_at)

    async def _key_of(self, token: str) -> tuple[str, PublicKey]:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise NotSignedIn from error
        kid: Any = header.get("kid")
        if not isinstance(kid, str) or "crit" in header:
            raise NotSignedIn
        return kid, await self._keys.key(kid)

    def _verify(self, token: str, key: PublicKey) -> ExternalClaims:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.public,
                algorithms=[key.algorithm],
                issuer=self._issuer,
                audience=self._audiences or None,
                # Times are checked below, against the injected clock.
                options={
                    "require": ["exp", "sub"],
                    "verify_aud": bool(self._audiences),
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise NotSignedIn from error
        return self._believed(claims)

    def _believed(self, claims: dict[str, Any]) -> ExternalClaims:
        now = self._clock.now().timestamp()
        expires_at = _moment(claims, "exp")
        if expires_at + LEEWAY_SECONDS < now:
            raise NotSignedIn("the access token has expired")
        if "nbf" in claims and _moment(claims, "nbf") - LEEWAY_SECONDS > now:
            raise NotSignedIn("the access token is not good yet")
        if self._authorized_parties and claims.get("azp") not in self._authorized_parties:
            raise NotSignedIn
        subject = _text(claims, "sub")
        if not subject:
            raise NotSignedIn
        # Without a session or token id each token is a session of its own, so that logout still ends it.
        session = next((f"{name}:{one}" for name in ("sid", "jti") if (one := _text(claims, name))), None)
        email = _text(claims, "email") if claims.get("email_verified") is True else ""
        return ExternalClaims(
            issuer=self._issuer,
            subject=subject,
            session=session or f"exp:{expires_at}",
            expires_at=expires_at,
            email=email if email and not rules.email_faults(email) else None,
            name=_text(claims, "preferred_username") or email.partition("@")[0],
        )


def _moment(claims: dict[str, Any], name: str) -> float:
    """A claim that is a time, in Unix seconds; raises NotSignedIn where it is none (NaN included)."""
    value = claims.get(name)
    if not isinstance(value, int | float) or not 0 <= value < _END_OF_TIME:
        raise NotSignedIn
    return value


def _text(claims: dict[str, Any], name: str) -> str:
    """A claim that is text we can keep, else nothing."""
    value = claims.get(name)
    if not isinstance(value, str) or len(value) > _LONGEST_ID or not value.isprintable():
        return ""
    return value
