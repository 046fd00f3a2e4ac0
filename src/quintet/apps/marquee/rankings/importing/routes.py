"""Marquee's edge: importing lists."""

import asyncio
from uuid import UUID

from litestar.params import FromPath

from quintet.apps.marquee.rankings.importing import actions
from quintet.apps.marquee.rankings.importing.model import (
    MOST_BYTES,
    Import,
    ImportForm,
    ImportNotFound,
    ImportRunning,
)
from quintet.apps.marquee.rankings.importing.reading import read_list
from quintet.apps.marquee.rankings.importing.working import bell_of
from quintet.kernel.actor import Access
from quintet.kernel.database import Tx
from quintet.kernel.http import Answer, Call, get, post, read_form

TAG = "Marquee"
_FORM_BYTES = 8 * 1024  # what a form needs around its file


@post("/rankings/import", access=Access.SIGNED_IN, tag=TAG, limits=("upload",), status=202,
      refusals=(ImportRunning,), most_bytes=MOST_BYTES + _FORM_BYTES, takes_form=ImportForm,
      example={"file": "Date,Name,Year,Letterboxd URI,Rating\n2024-05-01,Heat,1995,https://boxd.it/2aFM,5\n"},
      summary="Import a list")  # fmt: skip
async def import_list(request: Call) -> Answer[Import]:
    """Take a list, to be ranked behind what is ranked already; its address tells how far it is."""
    form = await read_form(request, most_part_bytes=MOST_BYTES)
    form.check_names({"file"})
    read = await asyncio.to_thread(read_list, form.file("file").content)

    async def act(tx: Tx) -> Answer[Import]:
        begun = await actions.begin_import(tx, request.actor, read)
        return Answer(begun, status=202, location=f"/rankings/imports/{begun.id}")

    answer = await request.write(act)
    bell_of(request.kernel).ring()
    return answer


@get("/rankings/imports/{import_id:uuid}", access=Access.SIGNED_IN, tag=TAG, refusals=(ImportNotFound,),
     summary="How far an import is")  # fmt: skip
async def read_import(request: Call, import_id: FromPath[UUID]) -> Answer[Import]:
    """Answer an import for a week after it has ended; `done` is matched, created and skipped together."""
    async with request.read() as tx:
        return Answer(await actions.import_to_see(tx, request.actor, import_id))


IMPORT_ROUTES = (import_list, read_import)
