"""Listening: has files heard in processes beside the server, two at a time, each in one of its own.

Invariant: what cannot be heard is the file's fault or the hour's, never taken for the other: 415 or 503.
"""

import asyncio
from typing import BinaryIO, Final

import msgspec

from quintet.kernel import sound
from quintet.kernel.beside.workshop import Terms, WorkerDied, Workshop
from quintet.kernel.http.call import Kernel
from quintet.kernel.refusals import TooLarge, UnsupportedMediaType
from quintet.kernel.sound.model import Heard, Sound, Unheard
from quintet.kernel.sound.sniffing import Kind, kind_of

PROCESSES: Final = 2
MOST_WAITING: Final = 50
MOST_SECONDS: Final = 90.0  # on a busy machine; of its own time a process has a third


class Listener:
    """The processes that hear for this server process, and the queue before them."""

    def __init__(self) -> None:
        busy = "Many sounds are being heard: try again in a moment."
        self.workshop = Workshop(sound.__name__, Terms(PROCESSES, MOST_WAITING, MOST_SECONDS, 0, busy))

    async def hear(self, file: BinaryIO) -> tuple[Kind, Heard]:
        """What kind of audio it is, and what there is to hear.

        Raises UnsupportedMediaType, TooLarge for what lasts too long, and Unavailable.
        """
        kind = await asyncio.to_thread(kind_of, file)
        if kind is None:
            raise UnsupportedMediaType("this is no WAV, AIFF, FLAC, MP3, Ogg, M4A or AAC")
        job = msgspec.msgpack.encode(Sound(file.fileno(), kind.demuxer))
        try:
            answer = await self.workshop.ask(job, file=file.fileno())
        except WorkerDied as error:  # of too much memory or time, or of a hole in the decoder
            raise UnsupportedMediaType("this cannot be read as audio") from error
        heard: Heard | Unheard = msgspec.msgpack.decode(answer, type=Heard | Unheard)
        if isinstance(heard, Unheard):
            raise TooLarge(heard.why) if heard.is_too_long else UnsupportedMediaType(heard.why)
        return kind, heard


async def begin_listening(kernel: Kernel) -> None:
    """Set up the listener; nothing is started yet."""
    kernel.of_parts[Listener] = Listener()


def listener_of(kernel: Kernel) -> Listener:
    """Where this process has its sounds heard."""
    return kernel.of_parts[Listener]
