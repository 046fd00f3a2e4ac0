"""How the routes of documents are called."""

from tests.architecture.calling import Told

DOCUMENT_CALLS: dict[tuple[str, str], Told] = {}
