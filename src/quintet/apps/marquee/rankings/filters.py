"""What a list of rankings can be narrowed to. Pure.

Invariant: a value from an address matches an attribute that is this text, or this number or truth, or a list
that holds it.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from quintet.apps.marquee.media.model import MediaType
from quintet.apps.marquee.rankings.model import Tier
from quintet.kernel.refusals import invalid

PREFIX: Final = "attribute."
MOST_ATTRIBUTES: Final = 10
_LONGEST_NAME: Final = 100
_LONGEST_VALUE: Final = 300
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?", re.ASCII)
_TRUTHS: Final = {"true": True, "false": False}


class Filters(msgspec.Struct, frozen=True):
    """Which rankings are wanted; of each entry of `attributes` one of the objects must be contained."""

    tier: Tier | None = None
    genre: str | None = None
    media_type: MediaType | None = None
    attributes: tuple[tuple[dict[str, Any], ...], ...] = ()


def attributes_of(query: Iterable[tuple[str, str]]) -> tuple[tuple[dict[str, Any], ...], ...]:
    """The `attribute.<name>=<value>` of a query; raises InvalidRequest for too many or too long ones."""
    asked = [(key, value) for key, value in query if key.startswith(PREFIX)]
    if len(asked) > MOST_ATTRIBUTES:
        raise invalid("too_many", f"at most {MOST_ATTRIBUTES} attributes", parameter=asked[-1][0])
    return tuple(_objects(key, value) for key, value in asked)


def _objects(key: str, value: str) -> tuple[dict[str, Any], ...]:
    name = key.removeprefix(PREFIX)
    if not name:
        raise invalid("missing", "attribute.<name>", parameter=key)
    if len(name) > _LONGEST_NAME or len(value) > _LONGEST_VALUE:
        raise invalid(
            "too_long",
            f"names up to {_LONGEST_NAME}, values up to {_LONGEST_VALUE} characters",
            parameter=key[: _LONGEST_NAME + len(PREFIX)],
        )
    meant: list[Any] = [value]
    if _NUMBER.fullmatch(value):
        meant.append(float(value) if "." in value else int(value))
    if value in _TRUTHS:
        meant.append(_TRUTHS[value])
    return tuple({name: form} for one in meant for form in (one, [one]))
