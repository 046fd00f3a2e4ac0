"""The words in which the table of calls is written: what a call is about, and what each caller gets."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from tests.world import Person, World

WHISPERED = "whispered, for the owner alone"


class Stage(msgspec.Struct):
    """What a call may be about: a title and a mark of Ada's, with her note on it, and what she edits."""

    ada: Person
    title: str
    wigg_id: str
    session_id: str
    milestone_id: str = ""
    edit_session_id: str = ""
    undo_token: str = ""
    redo_token: str = ""
    capture_id: str = ""
    player_id: str = ""
    medium_id: str = ""
    subscription_id: str = ""
    secret: str = ""
    ids: dict[str, str] = {}  # what newer areas need, by a name of their own


class Made(msgspec.Struct):
    """One call: where and with what."""

    path: str
    body: Any = None


class Told(msgspec.Struct):
    """How to make a route's valid call, and its status for whoever the route is for.

    `others` is the status for everybody but the owner, where it differs; `staff` that of moderators and
    admins where it differs from that.
    """

    make: Callable[[Stage], Made]
    status: int = 200
    others: int | None = None
    staff: int | None = None
    before: Callable[[World, Stage], Awaitable[None]] | None = None


def at(path: str, body: Any = None) -> Callable[[Stage], Made]:
    """A call whose path names parts of the stage."""
    return lambda stage: Made(
        path.format(title_id=stage.title, **stage.ids, **msgspec.structs.asdict(stage)),
        body,
    )
