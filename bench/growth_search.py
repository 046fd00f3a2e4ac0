"""Searching the catalogue while it grows from a thousand works to a million, over HTTP, without the memory.

One server for each size, all at the same time and measured by turns; the first thousand titles are the same
in all, and what is asked is made from them: whole titles, their beginnings, and titles with a letter of their
longest word missing, doubled or swapped with its neighbour. Words come as they do in titles, few of them very
often and many hardly ever: a list of English words by their frequency, and names made up of syllables.
"""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import accumulate
from urllib.parse import quote

import psycopg
from bench._load import put_load, request
from bench._server import Server, data_folder, serving
from bench._table import by_turns, growth_row, present_load, show
from zxcvbn.frequency_lists import FREQUENCY_LISTS

SECONDS = 2.0
SIZES = (1_000, 100_000, 1_000_000)
_ASKED = 200
_BATCH = 20_000
_LIMIT = 8
_SYLLABLES = (
    "ka",
    "ro",
    "mi",
    "ten",
    "lo",
    "sha",
    "vi",
    "du",
    "ber",
    "na",
    "zu",
    "or",
    "el",
    "qui",
    "ga",
    "sto",
)
_LENGTHS = ((1, 12), (2, 30), (3, 28), (4, 16), (5, 9), (6, 5))  # words in a title, and how often so many


def titles(count: int) -> Iterator[str]:
    """The first so many titles of an endless catalogue, always the same."""
    chance = random.Random(4)
    lists = (FREQUENCY_LISTS["us_tv_and_film"], FREQUENCY_LISTS["english_wikipedia"])
    words = [word for pair in zip(*lists, strict=False) for word in pair if word.isalpha()]
    often = list(accumulate(1 / (place + 10) for place in range(len(words))))
    lengths, shares = zip(*_LENGTHS, strict=True)
    for _ in range(count):
        said = chance.choices(words, cum_weights=often, k=chance.choices(lengths, shares)[0])
        if chance.random() < 0.2:
            said[0] = "".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4)))
        yield " ".join(said).title()


def fill(server: Server, count: int) -> int:
    """Enter so many films; how many distinct words they are made of."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("create temporary table fresh (place integer, title text)")
        with connection.cursor().copy("copy fresh from stdin") as copy:
            for place, title in enumerate(titles(count)):
                copy.write_row((place, title))
        connection.execute("create index on fresh (place)")
        for begin in range(0, count, _BATCH):
            connection.execute(
                """
                insert into catalogue.works (id, kind, title, year, popularity, created_at, updated_at)
                select 'work-' || place, case when place %% 20 = 0 then 'play' else 'film' end, title,
                       1920 + place %% 106, 100 / (1 + place %% 997), now(), now()
                from fresh where place >= %s and place < %s
                """,
                (begin, begin + _BATCH),
            )
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
        row = connection.execute("select count(*) from catalogue.words").fetchone()
        assert row is not None
        return row[0]


def misspelt(title: str, chance: random.Random) -> str:
    """The title with one mistake in its longest word."""
    words = title.split()
    longest = max(range(len(words)), key=lambda place: len(words[place]))
    word = words[longest]
    at = chance.randrange(1, len(word) - 1)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    words[longest] = chance.choice((swapped, word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]))
    return " ".join(words)


def questions() -> dict[str, list[bytes]]:
    """What is asked, of each kind the same in every size."""
    chance = random.Random(7)
    known = [title for title in titles(min(SIZES)) if max(map(len, title.split())) >= 6]
    chosen = chance.sample(known, _ASKED)
    asked = {
        "whole titles": chosen,
        "beginnings": [title[: max(3, len(title) * 3 // 5)] for title in chosen],
        "misspelt titles": [misspelt(title, chance) for title in chosen],
    }
    return {
        kind: [request("GET", f"/media/search?q={quote(text)}") for text in texts]
        for kind, texts in asked.items()
    }


def main() -> None:
    load = present_load()
    asked = questions()
    with ExitStack() as stack:
        servers = {
            size: stack.enter_context(serving(stack.enter_context(data_folder()), hot_bytes="0"))
            for size in SIZES
        }
        words = {size: fill(server, size) for size, server in servers.items()}

        def milliseconds(kind: str, size: int) -> float:
            return put_load(servers[size].address, asked[kind], seconds=SECONDS, connections=1).median

        pairs = [(kind, size) for kind in asked for size in SIZES]
        took = dict(
            zip(pairs, by_turns(*(lambda pair=pair: milliseconds(*pair) for pair in pairs)), strict=True)
        )
    rows = [
        growth_row(
            f"{kind}, {size:,} works", f"{SIZES[0]:,} works", took[kind, size], took[kind, SIZES[0]], _LIMIT
        )
        for kind in asked
        for size in SIZES[1:]
    ]
    counted = ", ".join(f"{size:,} works have {words[size]:,} words" for size in SIZES)
    show("growth: one search, by the number of works", rows, load, [counted])


if __name__ == "__main__":
    main()
