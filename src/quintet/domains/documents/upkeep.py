"""What is done for documents beside the requests: memory is given back."""

import asyncio
from typing import TYPE_CHECKING, Final

from quintet.domains.documents.desk import Desks

if TYPE_CHECKING:
    from quintet.kernel.http.call import Kernel

LOOK_SECONDS: Final = 1.0


async def keep_documents(kernel: "Kernel") -> None:
    """Once a second, for as long as the server runs."""
    desks = kernel.of_parts[Desks]
    while True:
        desks.give_back()
        await asyncio.sleep(LOOK_SECONDS)
