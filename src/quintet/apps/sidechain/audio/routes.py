"""The edge for audio."""

from contextlib import suppress
from typing import Final
from uuid import UUID

import msgspec
from litestar.params import FromPath

from quintet.apps.sidechain.audio import access, actions
from quintet.apps.sidechain.audio.model import MOST_BYTES, Audio, AudioInUse, AudioNotFound
from quintet.apps.sidechain.audio.reading import shown
from quintet.kernel.actor import Access
from quintet.kernel.database import Tx
from quintet.kernel.files.arriving import FORM_BYTES, arriving
from quintet.kernel.http import Answer, Call, File, delete, get, post
from quintet.kernel.refusals import TooManyConnections, Unavailable
from quintet.kernel.sound.listening import listener_of

_TAG: Final = "Sidechain"
_PLACE: Final = "/api/v1/audio"


class AudioForm(msgspec.Struct, frozen=True):
    """A sound as a form brings it."""

    file: File


@post(f"{_PLACE}/upload", access=Access.SIGNED_IN, tag=_TAG, limits=("upload",), takes_form=AudioForm,
      most_bytes=MOST_BYTES + FORM_BYTES, refusals=(TooManyConnections,),
      summary="Send in a sound")  # fmt: skip
async def upload_audio(request: Call) -> Answer[Audio]:
    """Keep a sound: WAV, AIFF, FLAC, MP3, Ogg (Vorbis, Opus), M4A or AAC of at most 50 MiB and an hour.

    What kind it is its bytes tell, whatever it is called. A sound that no post takes within a day is removed.
    """
    kernel = request.kernel
    async with arriving(request, "file", MOST_BYTES) as arrival:
        kind, heard = await listener_of(kernel).hear(arrival.file)
        kept = await kernel.files.put(arrival)

    is_new = False

    async def act(tx: Tx) -> Answer[Audio]:
        nonlocal is_new
        row = await actions.keep_audio(tx, kernel.files, request.actor, kept, kind.content_type, heard)
        is_new = True
        return Answer(shown(kernel, row), location=f"{_PLACE}/{row.id}")

    try:
        # Sent again it is the same where the sound is: a form's boundary is another each time.
        return await request.write(act, content=arrival.sha256)
    except BaseException:
        is_new = False
        raise
    finally:
        if not is_new:
            with suppress(Unavailable):  # then the sweep does it
                await kernel.files.discard(kept)


@get(f"{_PLACE}/{{audio_id:uuid}}", access=Access.SIGNED_IN, tag=_TAG, refusals=(AudioNotFound,),
     summary="A sound of one's own, or of a post")  # fmt: skip
async def read_audio(request: Call, audio_id: FromPath[UUID]) -> Answer[Audio]:
    """Answer what is known of a sound, with a fresh address."""
    async with request.kernel.database.statement() as tx:
        return Answer(shown(request.kernel, await access.audio_to_hear(tx, request.actor, audio_id)))


@delete(f"{_PLACE}/{{audio_id:uuid}}", access=Access.SIGNED_IN, tag=_TAG,
        refusals=(AudioNotFound, AudioInUse), summary="Remove a sound that no post has")  # fmt: skip
async def remove_audio(request: Call, audio_id: FromPath[UUID]) -> Answer[None]:
    """Remove a sound of one's own; its address leads nowhere from then on."""

    async def act(tx: Tx) -> Answer[None]:
        return Answer(await actions.remove_audio(tx, request.actor, audio_id))

    return await request.write(act)


AUDIO_ROUTES = (upload_audio, read_audio, remove_audio)
