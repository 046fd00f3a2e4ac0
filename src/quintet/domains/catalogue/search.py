"""Searching the catalogue: one search for all apps, by every name a work has.

Invariant: a search costs about the same over a thousand works as over a million. Whole and begun names are
ranges of an index; where those do not fill the longest page, the words of the query are looked for among the
distinct words of all names (trigrams, and one edit in short ones), and only then works with those words; and
where nothing is found, the query anywhere in a name.
"""

from collections.abc import Collection
from typing import Final

from quintet.domains.catalogue import search_queries as queries
from quintet.domains.catalogue.model import KINDS, Found, Kind, Place, WorkId
from quintet.domains.catalogue.rules import Meant, meant
from quintet.kernel.database import Tx

# So many whole and begun names fill every page, and nobody pages on to what is only similar.
ENOUGH: Final = 100
_LEAST_LETTERS: Final = 3  # fewer are the beginning of a name, and like anything else
_LIKELY: Final = 0.7  # nothing fits that well: then not every word need be there


async def search_works(
    tx: Tx,
    query: str,
    kinds: Collection[Kind] = KINDS,
    *,
    also: Collection[WorkId] = (),
    behind: Place | None = None,
    offset: int = 0,
    most: int,
) -> Found:
    """The works a query means, the best first; `also` are found in any case. `tx` takes single statements.

    The total counts the candidates that were ranked: at most 400 for each kind by their beginning and 1,000
    by their words.
    """

    async def ranked(words: Meant | None, with_words: str | None, more: Collection[WorkId]) -> Found:
        return await queries.ranked(tx, query, kinds, words, with_words, more, behind, offset, most)

    found = await ranked(None, None, also)
    if found.total >= ENOUGH or len(found.asked) < _LEAST_LETTERS:
        return found
    words = meant(await queries.words_like(tx, query))
    if words is not None:
        found = await ranked(words, words.of_all(), also)
        if found.best < _LIKELY and (least := words.of_weightiest()) != words.of_all():
            found = await ranked(words, least, also)
    if found.total == 0:
        found = await ranked(None, None, await queries.works_containing(tx, query, kinds))
    return found
