"""Reading error reports while there are a thousand, a hundred thousand and a million rows.

Rows are spread evenly over 90 days, a hundred for each person, in a thousand groups; in every world one
person has two hundred rows, and twenty rows hold a rare word. One connection asks for that person's list and
statistics, and as a moderator for everybody's first page, the rows with the rare word, and everybody's
statistics of the last day. The last have more to count where more is reported: a million rows in 90 days are
eleven thousand a day, so their growth only informs.
"""

from contextlib import ExitStack

import psycopg
from bench._load import put_load, request
from bench._server import Server, data_folder, serving
from bench._table import by_turns, growth_row, present_load, show
from bench._world import Person, people

SECONDS = 1.0
SIZES = (1_000, 100_000, 1_000_000)
GROUPS, OWN, RARE, EACH = 1_000, 200, 20, 100
RARE_WORD = "quetzalcoatl"
_LIMITS = {"own list": 2.0, "own statistics": 2.0, "all, first page": 2.0, "all, a rare word": 8.0}
_ASKED = {
    "own list": "/api/v1/errors",
    "own statistics": "/api/v1/errors/stats?hours=720",
    "all, first page": "/api/v1/errors",
    "all, a rare word": f"/api/v1/errors?q={RARE_WORD}",
    "all statistics of a day": "/api/v1/errors/stats?scope=all",
}


def grow(server: Server, size: int) -> tuple[Person, Person]:
    """Write the rows; the person with two hundred of them, and a moderator."""
    persons = people(server, size // EACH + 2)
    owner, moderator, *others = persons
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("update accounts.users set role = 'moderator' where id = %s", [moderator.id])
        [(index,)] = connection.execute(
            "select indexdef from pg_indexes where indexname = 'error_messages_likeness'"
        )
        connection.execute("drop index sidechain.error_messages_likeness")
        connection.execute(
            """
            insert into sidechain.error_groups (id, fingerprint, source, severity, message, pattern, users,
                                                occurrences, first_seen, last_seen)
            select md5(n::text)::uuid, md5(n::text)::uuid, (array['Network', 'Audio', 'UI'])[1 + n %% 3],
                   (array['Info', 'Warning', 'Error', 'Critical'])[1 + n %% 4],
                   'Error ' || n, 'Error <n>', 1, 1, now() - interval '90 days', now()
            from generate_series(0, %(groups)s - 1) n
            """,
            {"groups": GROUPS},
        )
        connection.execute(
            """
            create temporary table made as
            select gen_random_uuid() as id, n, md5((n %% %(groups)s)::text)::uuid as group_id,
                   case when n < %(own)s then %(owner)s
                        else (%(people)s::uuid[])[1 + n %% %(count)s] end as user_id,
                   now() - interval '90 days' * ((n::bigint * 7919) %% %(size)s) / %(size)s as seen
            from generate_series(0, %(size)s - 1) n
            order by seen  -- as they come in
            """,
            {
                "groups": GROUPS,
                "own": OWN,
                "owner": owner.id,
                "people": [one.id for one in others],
                "count": len(others),
                "size": size,
            },
        )
        connection.execute(
            """
            insert into sidechain.errors (id, user_id, group_id, source, severity, context, samples, sampled,
                                          occurrences, first_seen, last_seen)
            select id, user_id, group_id, (array['Network', 'Audio', 'UI'])[1 + n % 3],
                   (array['Info', 'Warning', 'Error', 'Critical'])[1 + n % 4], '{"release": "1"}',
                   array['{"message": "", "context": {}, "timestamp": null, "seen_at": ""}'::json], 1, 3,
                   seen, seen
            from made
            """
        )
        connection.execute(
            "insert into sidechain.error_hours select id, date_trunc('hour', seen), group_id, 3 from made"
        )
        connection.execute(
            """
            insert into sidechain.error_messages
            select id, 'Upload of take ' || n || ' to node ' || (n %% 977) || ' timed out'
                       || case when n %% (%(size)s / %(rare)s) = 0 then %(word)s else '' end
            from made
            """,
            {"size": size, "rare": RARE, "word": f" at {RARE_WORD}"},
        )
        connection.execute(index)
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
    return owner, moderator


def main() -> None:
    load = present_load()
    with ExitStack() as stack:
        worlds: dict[int, tuple[Server, dict[str, Person]]] = {}
        for size in SIZES:
            server = stack.enter_context(serving(stack.enter_context(data_folder())))
            owner, moderator = grow(server, size)
            worlds[size] = (server, {"own": owner, "all": moderator})

        def milliseconds(name: str, size: int) -> float:
            server, persons = worlds[size]
            token = persons[name[:3]].token
            asked = [request("GET", _ASKED[name], token=token)]
            return put_load(server.address, asked, seconds=SECONDS, connections=1).median

        pairs = [(name, size) for name in _ASKED for size in SIZES]
        took = dict(
            zip(pairs, by_turns(*(lambda pair=pair: milliseconds(*pair) for pair in pairs)), strict=True)
        )
    rows = [
        growth_row(
            f"{name}, {size:,} rows",
            f"{SIZES[0]:,} rows",
            took[name, size],
            took[name, SIZES[0]],
            _LIMITS.get(name),
        )
        for name in _ASKED
        for size in SIZES[1:]
    ]
    show("growth: one reading of error reports, by the number of rows", rows, load)


if __name__ == "__main__":
    main()
