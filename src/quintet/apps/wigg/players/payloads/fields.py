"""Reading a player's payload: unknown fields are ignored, known ones are taken in the spellings players use.

Invariant: whatever a payload holds, a field is a plain value within bounds, missing, or a refusal (422).
Templates print everything as text, so numbers and booleans are taken as text, too, and "" is missing.
"""

import math
import re
from typing import Any, Final

from quintet.kernel.refusals import InvalidRequest, invalid

MOST_SECONDS: Final = 10_000_000.0
MOST_TEXT: Final = 300
_NUMBER: Final = re.compile(r"[+-]?\d{1,25}(?:\.\d{0,25})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_NOT_FINITE: Final = {"nan", "inf", "infinity"}


class Fields:
    """The fields of one JSON object."""

    def __init__(self, payload: dict[str, Any], pointer: str = "") -> None:
        self._payload = payload
        self._pointer = pointer

    def inner(self, name: str) -> "Fields":
        """An object inside; an empty one where it is missing."""
        value = self._payload.get(name)
        if value is None or value == "":
            value = {}
        if not isinstance(value, dict):
            raise self._wrong("wrong_type", "an object", name)
        return Fields(value, f"{self._pointer}/{name}")

    def has(self, name: str) -> bool:
        """Whether the field is there."""
        return self._payload.get(name) not in (None, "")

    def text(self, name: str, most: int = MOST_TEXT) -> str | None:
        """A text without surrounding space; a whole number counts as one (films are called 1917)."""
        value = self._payload.get(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15:
            value = str(value)
        if not isinstance(value, str):
            raise self._wrong("wrong_type", "a text", name)
        if len(value) > most:
            raise self._wrong("too_long", f"at most {most} characters", name)
        return value.strip() or None

    def number(self, name: str, most: float, least: float = 0) -> float | None:
        """A finite number in `least`..`most`."""
        value = self._payload.get(name)
        if isinstance(value, str):
            value = value.strip()
            if not value:
                return None
            if value.lower().lstrip("+-") in _NOT_FINITE:
                raise self._wrong("not_finite", "a finite number", name)
            if _NUMBER.fullmatch(value) is None:
                raise self._wrong("wrong_type", "a number", name)
            value = float(value)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._wrong("wrong_type", "a number", name)
        if not least <= value <= most:  # compared before it is turned into a float: it may be giant
            code = "out_of_range" if isinstance(value, int) or math.isfinite(value) else "not_finite"
            raise self._wrong(code, f"{least:g} to {most:g}", name)
        return float(value)

    def whole(self, name: str, most: int, least: int = 0) -> int | None:
        """A whole number in `least`..`most`."""
        value = self.number(name, most, least)
        if value is None:
            return None
        if not value.is_integer():
            raise self._wrong("wrong_type", "a whole number", name)
        return int(value)

    def flag(self, name: str) -> bool | None:
        """A boolean, also as `True`, `false`, 1 or "0"."""
        value = self._payload.get(name)
        match str(value).strip().lower():
            case "true" | "1":
                return True
            case "false" | "0":
                return False
            case "" | "none" | "null":
                return None
            case _:
                raise self._wrong("wrong_type", "a boolean", name)

    def year(self, name: str) -> int | None:
        """A year; players say 0 where they know none."""
        return self.whole(name, 3000) or None

    def _wrong(self, code: str, message: str, name: str) -> InvalidRequest:
        return invalid(code, message, pointer=f"{self._pointer}/{name}")
