"""The docs say what the code says."""

import re
from pathlib import Path

from quintet.app import PARTS
from quintet.kernel.refusals import Refusal
from quintet.settings import PREFIX, Settings

DOCS = Path(__file__).parent.parent.parent / "docs"


def every_refusal(parent: type[Refusal] = Refusal) -> set[type[Refusal]]:
    """Every refusal that can be raised: the leaves, and parents that have a code of their own."""
    return {parent} | {one for child in parent.__subclasses__() for one in every_refusal(child)}


def test_every_setting_is_on_its_page() -> None:
    page = (DOCS / "settings.md").read_text()
    named = set(re.findall(r"`(QUINTET_[A-Z0-9_]+)`", page))
    assert named == {PREFIX + field.upper() for field in Settings.__struct_fields__}


def test_every_error_code_is_on_its_page() -> None:
    assert PARTS  # the import above has loaded every refusal
    page = (DOCS / "errors.md").read_text()
    told = {(int(status), code) for code, status in re.findall(r"\| `(\w+)` \| (\d+) \|", page)}
    abstract = {
        "bad_request", "unauthorized", "conflict", "gone", "unprocessable", "refusal", "",
    }  # fmt: skip
    raised = {(r.status, r.code) for r in every_refusal() if r.code not in abstract}
    assert told == raised
