"""From one real request to a pgbench script: its transaction as PostgreSQL itself logged it.

Invariant: what the server drew for this one request (ids, keys) is drawn anew in every run of the script, and
everything else is as the server sent it, types included.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psycopg
from bench._pgbench import with_expressions
from bench._server import Server

_LOGGING = {"log_statement": "all", "log_parameter_max_length": "-1", "log_error_verbosity": "default"}
_LINE = re.compile(r"^\d{4}-\d\d-\d\d \S+ \S+ \[(\d+)\] (\w+):  (.*)$")
_EXECUTED = re.compile(r"(?:execute [^:]+|statement): (.*)", re.DOTALL)
_VALUE = re.compile(r"\$(\d+) = (?:'((?:[^']|'')*)'|NULL)")
# New in every request: the random end of a UUIDv7, the first digits of a bytea, a whole large integer.
_FRESH = re.compile(
    r"(?<=[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-)[0-9a-f]{12}"
    r"|(?<=\\x)[0-9a-f]{12}(?=[0-9a-f]{20})"
    r"|^-?\d{13,}$"
)


@dataclass(frozen=True)
class Executed:
    """One statement, with its values as texts; None is null."""

    statement: str
    values: dict[int, str | None]


def transaction_of(server: Server, act: Callable[[], None], mark: str) -> list[Executed]:
    """What `act` has the server run between BEGIN and COMMIT; one of the statements holds `mark`."""
    for executed in _by_process(_logged_during(server, act)).values():
        block: list[Executed] = []
        for one in executed:
            if one.statement.strip().upper().startswith("BEGIN"):
                block = []
            elif one.statement.strip().upper() == "COMMIT":
                if any(mark in each.statement for each in block):
                    return block
                block = []
            else:
                block.append(one)
    raise LookupError(f"no transaction in the log holds: {mark}")


def statement_of(server: Server, act: Callable[[], None], mark: str) -> Executed:
    """The one statement with `mark` that `act` has the server run."""
    logged = _by_process(_logged_during(server, act)).values()
    found = [one for executed in logged for one in executed if mark in one.statement]
    assert len(found) == 1, f"{len(found)} statements in the log hold: {mark}"
    return found[0]


def _logged_during(server: Server, act: Callable[[], None]) -> str:
    log = server.data / "postgres.log"
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        for name, value in _LOGGING.items():
            connection.execute(f"alter system set {name} = '{value}'")
        connection.execute("select pg_reload_conf()")
        time.sleep(1)  # every backend looks at the new settings before its next statement, when it is idle
        start = log.stat().st_size
        act()
        time.sleep(0.5)
        for name in _LOGGING:
            connection.execute(f"alter system reset {name}")
        connection.execute("select pg_reload_conf()")
        time.sleep(0.5)
    with log.open("rb") as lines:
        lines.seek(start)
        return lines.read().decode()


def script_of(
    server: Server, transaction: list[Executed], draws: Mapping[str, str], tokens: Mapping[str, str]
) -> str:
    """The pgbench script, a transaction where it has several statements.

    `draws` are its variables and their ranges, `tokens` which texts stand for them.
    """
    fresh: dict[str, str] = {}
    lines: list[str] = []
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        for one in transaction:
            connection.execute(f"prepare looked_at as {one.statement}")
            (types,) = connection.execute(
                "select parameter_types::text[] from pg_prepared_statements where name = 'looked_at'"
            ).fetchall()[0]
            connection.execute("deallocate looked_at")
            expressions = {
                place: f"({_expression(value, tokens, fresh)})::{types[place - 1]}"
                for place, value in one.values.items()
            }
            lines.append(with_expressions(one.statement, expressions))
    ranges = dict(draws) | dict.fromkeys(fresh.values(), "100000000000, 999999999999")
    sets = [f"\\set {name} random({span})" for name, span in ranges.items()]
    if len(lines) > 1:
        lines = ["begin;", *lines, "commit;"]
    return "\n".join([*sets, *lines, ""])


def _by_process(text: str) -> dict[str, list[Executed]]:
    entries: list[tuple[str, str, str]] = []
    for line in text.split("\n"):
        if match := _LINE.match(line):
            entries.append((match[1], match[2], match[3]))
        elif entries:  # a continued line begins with a tab
            process, kind, said = entries[-1]
            entries[-1] = (process, kind, f"{said}\n{line.removeprefix(chr(9))}")
    found: dict[str, list[Executed]] = {}
    for process, kind, said in entries:
        executed = found.setdefault(process, [])
        if kind == "LOG" and (match := _EXECUTED.match(said)):
            executed.append(Executed(match[1], {}))
        elif kind == "DETAIL" and executed and "arameters: " in said:
            values = executed[-1].values
            values |= {int(place): _unquoted(text, whole) for whole, place, text in _values(said)}
    return found


def _values(said: str) -> list[tuple[str, str, str]]:
    return [(match[0], match[1], match[2] or "") for match in _VALUE.finditer(said)]


def _unquoted(text: str, whole: str) -> str | None:
    return None if whole.endswith("= NULL") else text.replace("''", "'")


def _expression(value: str | None, tokens: Mapping[str, str], fresh: dict[str, str]) -> str:
    if value is None:
        return "null"
    found = {token: name for token, name in tokens.items() if token in value}
    for match in _FRESH.finditer(value):
        if match[0] not in tokens:
            found[match[0]] = fresh.setdefault(match[0], f"fresh{len(fresh)}")
    if value in found:
        return f":{found[value]}"
    if not found:
        return _quoted(value)
    pieces = re.split("(" + "|".join(map(re.escape, found)) + ")", value)
    return " || ".join(f":{found[piece]}" if piece in found else _quoted(piece) for piece in pieces if piece)


def _quoted(text: str) -> str:
    # A colon before a letter would be one of pgbench's variables, even within quotes.
    return re.sub(r":(?=[A-Za-z_])", ":' || '", "'" + text.replace("'", "''") + "'")
