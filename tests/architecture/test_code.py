"""What the house asks of its own code: small modules, statements that hold, floors that stay floors."""

import ast
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

import quintet

SOURCE = Path(quintet.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))
FLOORS = {"kernel": 0, "settings": 0, "domains": 1, "apps": 2} | dict.fromkeys(
    ("console", "app", "serve", "doctor", "cli"), 3
)
STATEMENTS = {"all": 1, "maybe": 1, "one": 1, "value": 0, "run": 0}  # where each takes its statement
# Holes that were mended in these versions.
SAFE_FROM = {
    "python-multipart": "0.0.27", "PyJWT": "2.13.0", "uvicorn": "0.52.1", "starlette": "1.3.1",
    "pillow": "12.3.0",
}  # fmt: skip


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_is_too_long_and_each_says_what_it_owns(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    assert ast.get_docstring(ast.parse(text)), "a module opens with what it owns"
    assert not re.search(r"(^|[/_])(utils?|helpers?|common|base|managers?|services?)\.py$", name_of(path))


def imports(path: Path) -> Iterator[str]:
    """Every module of ours that a module imports; `from a import b` counts as `a.b`, too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                assert node.level == 1, "a relative import stays in its own package"
                continue
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place_of(module: str) -> tuple[str, str]:
    """Floor and room of a module: `("apps", "wigg")`."""
    _, floor, room, *_ = [*module.split("."), "", ""]
    return floor, room


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_imports_upward(path: Path) -> None:
    module = ".".join(["quintet", *path.relative_to(SOURCE).with_suffix("").parts])
    floor, room = place_of(module)
    for imported in imports(path):
        if not imported.startswith("quintet."):
            continue
        other_floor, other_room = place_of(imported)
        if floor not in FLOORS or other_floor not in FLOORS:
            continue
        assert FLOORS[other_floor] <= FLOORS[floor], f"{module} imports {imported}"
        if floor == other_floor == "apps":
            assert room == other_room, f"{module} imports {imported}: apps never import each other"
        if other_floor == "domains" and (floor, room) != (other_floor, other_room):
            inside = imported.removeprefix(f"quintet.domains.{other_room}").strip(".")
            assert "." not in inside, f"{module} imports {imported}: a domain is used through what it exports"


def statements() -> list[tuple[str, str]]:
    """Every SQL literal handed to a transaction, with where it stands."""
    found: list[tuple[str, str]] = []
    for path in MODULES:
        tree = ast.parse(path.read_text())
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in STATEMENTS
            ):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id in {"tx", "self"}):
                continue
            at = STATEMENTS[node.func.attr]
            if node.func.value.id == "self" or len(node.args) <= at:
                continue
            given = node.args[at]
            text = constants.get(given.id) if isinstance(given, ast.Name) else getattr(given, "value", None)
            assert isinstance(text, str), f"{name_of(path)}:{node.lineno}: a statement is one literal"
            found.append((f"{name_of(path)}:{node.lineno}", text))
    return found


STATEMENTS_FOUND = statements()


def test_statements_are_found() -> None:
    files = {where.partition(":")[0] for where, _ in STATEMENTS_FOUND}
    assert {
        "apps/wigg/queries.py",
        "domains/catalogue/queries.py",
        "kernel/idempotency.py",
        "kernel/tokens.py",
    } <= files
    assert len(STATEMENTS_FOUND) > 50


def test_every_statement_is_prepared_against_the_migrated_schema(dsn: str) -> None:
    wrong: list[str] = []
    with psycopg.connect(dsn, autocommit=True) as connection:
        for number, (where, text) in enumerate(STATEMENTS_FOUND):
            asked = sorted({int(one) for one in re.findall(r"\$(\d+)", text)})
            if asked != list(range(1, len(asked) + 1)):
                wrong.append(f"{where}: parameters {asked}")
            try:
                if text.lstrip().startswith("lock "):  # cannot be prepared, so it is run
                    with connection.transaction(force_rollback=True):
                        connection.execute(text)
                else:
                    connection.execute(f"prepare statement_{number} as {text}")
            except psycopg.Error as error:
                wrong.append(f"{where}: {error}")
    assert wrong == []


def test_every_index_says_what_it_serves() -> None:
    silent: list[str] = []
    for path in sorted((SOURCE / "migrations").glob("*.sql")):
        for above, line in pairwise(["", *path.read_text().splitlines()]):
            if re.match(r"\s*create (unique )?index", line, re.IGNORECASE) and not above.lstrip().startswith(
                "--"
            ):
                silent.append(f"{path.name}: {line}")
    assert silent == []


def test_migrations_are_one_sequence() -> None:
    names = [path.name for path in sorted((SOURCE / "migrations").glob("*.sql"))]
    assert [name[:5] for name in names] == [f"{number:04}_" for number in range(1, len(names) + 1)]


@pytest.mark.parametrize(("package", "least"), SAFE_FROM.items())
def test_no_version_with_a_known_hole(package: str, least: str) -> None:
    try:
        installed = version(package)
    except PackageNotFoundError:
        return

    def parts(text: str) -> list[int]:
        return [int(one) for one in re.findall(r"\d+", text)][:3]

    assert parts(installed) >= parts(least)


def test_no_lock_names_a_version_with_a_known_hole() -> None:
    for lock in SOURCE.parents[1].glob("requirements*.lock"):
        locked = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\d+(?:\.\d+)*)", lock.read_text(), re.MULTILINE))
        for package, least in SAFE_FROM.items():
            if (found := locked.get(package.lower())) is not None:
                assert [int(n) for n in found.split(".")] >= [int(n) for n in least.split(".")], (
                    lock.name,
                    package,
                )
