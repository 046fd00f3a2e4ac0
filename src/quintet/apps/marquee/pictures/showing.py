"""Showing a shared picture: drawn once for everybody, kept while its list stays as it is.

Invariant: an answer is the list as the room's newest event left it, and none is given of a picture withdrawn.
"""

import hashlib
import re
from collections import OrderedDict
from typing import Final

from quintet.apps.marquee.pictures import queries
from quintet.apps.marquee.pictures.model import (
    BestTitle,
    Form,
    Job,
    ListedTier,
    ListedTitle,
    PictureNotFound,
    TierList,
)
from quintet.apps.marquee.pictures.studio import studio_of
from quintet.kernel.actor import UserId
from quintet.kernel.cache import HotAnswer
from quintet.kernel.http.call import Kernel
from quintet.kernel.live.names import user_room

_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_MOST_KNOWN: Final = 20_000
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


class KnownPictures:
    """Whose pictures are: an id is one person's for ever, so this never grows stale, only large."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, UserId] = OrderedDict()

    def owner_of(self, picture_id: str) -> UserId | None:
        """Whose it is, if somebody has asked before."""
        owner = self._owners.get(picture_id)
        if owner is not None:
            self._owners.move_to_end(picture_id)
        return owner

    def note(self, picture_id: str, owner: UserId) -> None:
        """Keep whose it is; what was not asked for the longest is forgotten."""
        self._owners[picture_id] = owner
        if len(self._owners) > _MOST_KNOWN:
            self._owners.popitem(last=False)


async def begin_knowing(kernel: Kernel) -> None:
    """Make a place for what is known of pictures."""
    kernel.of_parts[KnownPictures] = KnownPictures()


async def picture(kernel: Kernel, picture_id: str, form: Form) -> HotAnswer:
    """The picture as it is now, out of memory while the list is unchanged; raises PictureNotFound."""
    owner = await _owner_of(kernel, picture_id)

    async def read() -> HotAnswer:
        async with kernel.database.reading() as tx:
            shared = await queries.shared_list(tx, picture_id)
            if shared is None:
                raise PictureNotFound
            best = await queries.best_titles(tx, owner)
        # Only now, so that no connection waits for the drawing.
        body = await studio_of(kernel).draw(Job(form, _listed(shared.owner, best)))
        return HotAnswer(body, hashlib.blake2b(body, digest_size=12).hexdigest(), shared.room_seq)

    # No event tells of a title or a name that is spelt anew: the date lets it show a day later at the latest.
    key = f"picture {form} {picture_id} {kernel.clock.now().date()}"
    return await kernel.hot.get(user_room(owner), key, read)


async def _owner_of(kernel: Kernel, picture_id: str) -> UserId:
    known = kernel.of_parts[KnownPictures]
    owner = known.owner_of(picture_id)
    if owner is None:
        if not _ID.fullmatch(picture_id):
            raise PictureNotFound
        async with kernel.database.statement() as tx:
            owner = await queries.owner_of(tx, picture_id)
        if owner is None:
            raise PictureNotFound
        known.note(picture_id, owner)
    return owner


def _listed(owner: str, best: list[BestTitle]) -> TierList:
    tiers: dict[str, ListedTier] = {}
    for row in best:
        tier = tiers.setdefault(row.tier, ListedTier(row.tier, [], row.total))
        if row.title is not None:
            tier.titles.append(ListedTitle(row.title, row.year))
    changed_at = max((row.changed_at for row in best if row.changed_at is not None), default=None)
    date = f"{changed_at.day} {_MONTHS[changed_at.month - 1]} {changed_at.year}" if changed_at else ""
    return TierList(owner, date, list(tiers.values()))
