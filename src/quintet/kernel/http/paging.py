"""Lists: `limit`, `cursor` and the page they yield. No list has an unbounded answer."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

T = TypeVar("T")

Limit = Annotated[int, QueryParameter(ge=1, le=100, description="How many items at most.")]
Cursor = Annotated[
    str | None, QueryParameter(max_length=2000, description="Where the last page ended; from `next_cursor`.")
]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list."""

    items: Sequence[T]
    next_cursor: str | None = None


def cut(rows: list[T], limit: int, place: Callable[[T], list[Any]]) -> tuple[list[T], list[Any] | None]:
    """The page out of `limit + 1` rows read, and the sort key it ends at where more rows follow."""
    if len(rows) <= limit:
        return rows, None
    page = rows[:limit]
    return page, place(page[-1])
