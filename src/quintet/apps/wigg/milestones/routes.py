"""WIGG's edge for milestones."""

from typing import Any
from uuid import UUID

from litestar.params import FromPath, JSONBody

from quintet.apps.wigg.access import title_id_of
from quintet.apps.wigg.milestones import actions, queries
from quintet.apps.wigg.milestones.chapter_upload import chapters_of, unreadable_is_refused, upload_of
from quintet.apps.wigg.milestones.model import (
    EMOJI,
    ChapterFile,
    ChapterForm,
    ImportedMilestones,
    LengthUnknown,
    Milestone,
    MilestoneChange,
    MilestoneExists,
    MilestoneNotFound,
    NewMilestone,
    NotYourMilestone,
    OfficialIsForModerators,
    TooManyMilestones,
)
from quintet.domains.catalogue import WorkNotFound, title_room, work_to_see
from quintet.kernel import json
from quintet.kernel.actor import Access
from quintet.kernel.cache import HotAnswer
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, Page, delete, get, patch, post
from quintet.kernel.live.log import room_seq

TAG = "WIGG"
_FILE = {"content": "00:00 The bank\n1:31:05 The heist", "format": "text"}


@get("/api/titles/{title_id:str}/milestones", access=Access.PUBLIC, tag=TAG, refusals=(WorkNotFound,),
     summary="A title's milestones")  # fmt: skip
async def read_milestones(request: Call, title_id: FromPath[str]) -> Answer[Page[Milestone]]:
    """Answer the title's named moments in their order; all of them, at most 1,000."""
    room = title_room(title_id_of(title_id))

    async def read() -> HotAnswer:
        async with request.read() as tx:
            work = await work_to_see(tx, title_id)
            page = Page(await queries.milestones(tx, work.id))
            return HotAnswer(json.encode(page), "", await room_seq(tx, room))

    return await request.hot(room, "milestones", read)


@get("/api/milestone-icons", access=Access.PUBLIC, tag=TAG, summary="The icons a milestone can have")
async def read_icons() -> Answer[dict[str, Any]]:
    """Answer icon names and their emoji."""
    items = [{"name": name, "emoji": emoji} for name, emoji in EMOJI.items()]
    return Answer({"items": items, "next_cursor": None}, max_age_seconds=300)


@post("/api/titles/{title_id:str}/milestones", access=Access.SIGNED_IN, tag=TAG, limits=("place",),
      refusals=(WorkNotFound, TooManyMilestones), example={"pct": 51, "label": "The heist", "icon": "fire"},
      summary="Name a moment of a title")  # fmt: skip
async def add_milestone(
    request: Call, title_id: FromPath[str], data: JSONBody[NewMilestone]
) -> Answer[Milestone]:
    """Add a milestone; one of the same name within half a percent is answered instead."""

    async def act(tx: Tx) -> Answer[Milestone]:
        milestone, is_new = await actions.add_milestone(tx, request.actor, title_id, data)
        return Answer(milestone, status=201 if is_new else 200)

    return await request.write(act)


@patch("/api/titles/{title_id:str}/milestones/{milestone_id:uuid}", access=Access.SIGNED_IN, tag=TAG,
       refusals=(WorkNotFound, MilestoneNotFound, NotYourMilestone, MilestoneExists),
       example={"label": "The street battle"},
       summary="Change a milestone one has added, or any as a moderator")  # fmt: skip
async def change_milestone(
    request: Call, title_id: FromPath[str], milestone_id: FromPath[UUID], data: JSONBody[MilestoneChange]
) -> Answer[Milestone]:
    """Change place, label or icon; what is left out stays."""

    async def act(tx: Tx) -> Answer[Milestone]:
        return Answer(await actions.change_milestone(tx, request.actor, title_id, milestone_id, data))

    return await request.write(act)


@delete("/api/titles/{title_id:str}/milestones/{milestone_id:uuid}", access=Access.SIGNED_IN, tag=TAG,
        refusals=(WorkNotFound, MilestoneNotFound, NotYourMilestone),
        summary="Remove a milestone one has added, or any as a moderator")  # fmt: skip
async def remove_milestone(
    request: Call, title_id: FromPath[str], milestone_id: FromPath[UUID]
) -> Answer[None]:
    """Remove a milestone."""

    async def act(tx: Tx) -> Answer[None]:
        return Answer(await actions.remove_milestone(tx, request.actor, title_id, milestone_id))

    return await request.write(act)


@post("/api/titles/{title_id:str}/milestones/{milestone_id:uuid}/verify", access=Access.MODERATOR, tag=TAG,
      status=200, refusals=(WorkNotFound, MilestoneNotFound), summary="Vouch for a milestone")  # fmt: skip
async def verify_milestone(
    request: Call, title_id: FromPath[str], milestone_id: FromPath[UUID]
) -> Answer[Milestone]:
    """Mark a milestone as verified; again changes nothing."""

    async def act(tx: Tx) -> Answer[Milestone]:
        return Answer(await actions.verify_milestone(tx, request.actor, title_id, milestone_id))

    return await request.write(act)


@post("/api/titles/{title_id:str}/milestones/import", access=Access.SIGNED_IN, tag=TAG, limits=("upload",),
      status=200, refusals=(WorkNotFound, OfficialIsForModerators, LengthUnknown, TooManyMilestones),
      takes_json=ChapterFile, takes_form=ChapterForm, example=_FILE, most_bytes=4 * 1024 * 1024,
      summary="Import a file's chapters as milestones")  # fmt: skip
async def import_milestones(request: Call, title_id: FromPath[str]) -> Answer[ImportedMilestones]:
    """Add the chapters of a WebVTT, ffmetadata, Matroska, Podcasting 2.0, Podlove, EPUB or plain text file,
    all or none; importing them again adds nothing.
    """
    upload = await upload_of(request)
    actions.check_source(request.actor, upload.source)
    with unreadable_is_refused(upload):
        chapters = await chapters_of(upload)

        async def act(tx: Tx) -> Answer[ImportedMilestones]:
            imported = await actions.import_milestones(tx, request.actor, title_id, chapters, upload.source)
            return Answer(imported)

        return await request.write(act)


MILESTONE_ROUTES = (
    read_milestones, read_icons, add_milestone, change_milestone, remove_milestone, verify_milestone,
    import_milestones,
)  # fmt: skip
