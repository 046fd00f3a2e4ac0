"""Every setting: typed, with its default and its environment name `QUINTET_<FIELD>`.

Invariant: a `QUINTET_` name nobody knows, or a value that does not parse, stops the start and is named.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from dotenv import dotenv_values

PREFIX = "QUINTET_"
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_LIMIT = re.compile(r"(\d{1,12})/(second|minute|hour|day)(?: burst (\d{1,12}))?")


class BadSetting(Exception):
    """A setting that is unknown or does not parse; the message names it."""


class Limit(msgspec.Struct, frozen=True):
    """`count` in `seconds`, at most `burst` at once."""

    count: int
    seconds: int
    burst: int

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """Read `"100/minute"` or `"50/second burst 100"`; the burst is the count unless said."""
        match = _LIMIT.fullmatch(text.strip())
        if match is None or int(match[1]) == 0 or match[3] == "0":
            raise ValueError('write it as "100/minute" or "50/second burst 100"')
        return cls(int(match[1]), SECONDS[match[2]], int(match[3] or match[1]))


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator chose; see docs/settings.md."""

    env: Literal["development", "production"] = "development"
    host: str = "127.0.0.1"
    port: int = 8000
    processes: int = 1
    data: Path = Path("data")
    public_url: str = ""
    database_url: str = ""
    postgres_binaries: str = ""
    database_connections: int = 12
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    metrics_token: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    request_deadline_seconds: int = 20
    upload_deadline_seconds: int = 600
    storage_url: str = ""
    hot_bytes: int = 64 * 1024 * 1024
    limit_anonymous: Limit = Limit(100, 60, 100)
    limit_signed_in: Limit = Limit(1200, 60, 1200)
    limit_auth: Limit = Limit(10, 60, 10)
    limit_refresh: Limit = Limit(30, 60, 30)
    limit_upload: Limit = Limit(20, 60, 20)
    limit_socket: Limit = Limit(50, 1, 100)
    limit_file: Limit = Limit(600, 60, 600)
    limit_place: Limit = Limit(60, 60, 60)
    limit_paint: Limit = Limit(10, 1, 10)
    edit_session_seconds: int = 1800
    undo_seconds: int = 900
    document_history_days: int = 30
    limit_player: Limit = Limit(120, 60, 120)
    push_allow_private: Literal["no", "yes"] = "no"
    limit_tmdb: Limit = Limit(30, 1, 5)  # TMDB's 40 in any second, and room for what the network bunches up
    tmdb_url: str = "https://api.themoviedb.org/3"
    tmdb_token: str = ""
    tmdb_image_url: str = "https://image.tmdb.org/t/p/w500"
    oidc_issuer: str = ""
    oidc_jwks_url: str = ""
    oidc_audiences: tuple[str, ...] = ()
    oidc_authorized_parties: tuple[str, ...] = ()

    @property
    def issuer(self) -> str:
        """The public URL, without a slash at its end; it is what our tokens name as `iss`."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def limit(self, policy: str) -> Limit:
        """The limit of a named policy."""
        return getattr(self, f"limit_{policy}")


def load_settings(
    environment: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env"), **given: Any
) -> Settings:
    """Settings from `given` (the command line), else the environment, else the `.env` file, else defaults.

    Raises BadSetting naming the first setting that is unknown or does not parse.
    """
    found: dict[str, str] = {}
    if dotenv is not None and dotenv.is_file():
        found |= {name: value or "" for name, value in dotenv_values(dotenv).items()}
    found |= os.environ if environment is None else environment
    wanted = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for name, text in found.items():
        if not name.startswith(PREFIX):
            continue
        field = name.removeprefix(PREFIX).lower()
        if field not in wanted:
            raise BadSetting(f"{name} is no setting of Quintet; see docs/settings.md for the list")
        try:
            values[field] = _parse(wanted[field], text)
        except ValueError as error:
            raise BadSetting(f"{name} cannot be used: {error}") from error
    values |= {field: value for field, value in given.items() if value is not None}
    settings = Settings(**values)
    if "env" not in values and not settings.on_loopback:
        # A server others can reach must not run with development's conveniences by accident.
        settings = msgspec.structs.replace(settings, env="production")
    _check(settings)
    return settings


def _parse(wanted: Any, text: str) -> Any:
    if get_origin(wanted) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if wanted is Limit:
        return Limit.parse(text)
    if wanted is Path:
        return Path(text)
    if wanted is int:
        return int(text)
    if get_origin(wanted) is Literal and text not in get_args(wanted):
        raise ValueError(f"it is one of {', '.join(get_args(wanted))}")
    return text


def _check(settings: Settings) -> None:
    if not 0 <= settings.port <= 65535:
        raise BadSetting("QUINTET_PORT cannot be used: it is 0 to 65535")
    if not 1 <= settings.processes <= 64:
        raise BadSetting("QUINTET_PROCESSES cannot be used: it is 1 to 64")
    if settings.database_connections < 2:
        raise BadSetting("QUINTET_DATABASE_CONNECTIONS cannot be used: at least 2 are needed")
    _check_times(settings)
    if settings.env == "production" and not settings.public_url.startswith(("http://", "https://")):
        raise BadSetting(
            "QUINTET_PUBLIC_URL is needed in production: the address people reach this server under, "
            "for instance https://quintet.example (it is the issuer of all tokens)"
        )
    for proxy in settings.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError as error:
            raise BadSetting(f"QUINTET_TRUSTED_PROXIES cannot be used: {error}") from error
    _check_others(settings)


def _check_times(settings: Settings) -> None:
    for name in ("edit_session_seconds", "undo_seconds", "upload_deadline_seconds"):
        if not 1 <= getattr(settings, name) <= SECONDS["day"] * 365:
            raise BadSetting(f"{PREFIX}{name.upper()} cannot be used: it is from a second to a year")
    if not 1 <= settings.document_history_days <= 36_500:
        raise BadSetting("QUINTET_DOCUMENT_HISTORY_DAYS cannot be used: it is 1 to 36500")


def _check_others(settings: Settings) -> None:
    """What we ask of servers outside."""
    if settings.storage_url and not re.fullmatch(r"s3://[^/]+(/.*)?", settings.storage_url):
        raise BadSetting("QUINTET_STORAGE_URL cannot be used: write it as s3://bucket/prefix")
    for name in ("tmdb_url", "tmdb_image_url"):
        if not getattr(settings, name).startswith(("http://", "https://")):
            raise BadSetting(f"{PREFIX}{name.upper()} cannot be used: it begins with https://")
    if not re.fullmatch(r"[!-~]*", settings.tmdb_token):
        raise BadSetting("QUINTET_TMDB_TOKEN cannot be used: it has a letter no token has")
    if bool(settings.oidc_issuer) != bool(settings.oidc_jwks_url):
        raise BadSetting("QUINTET_OIDC_ISSUER and QUINTET_OIDC_JWKS_URL go together: set both or neither")
