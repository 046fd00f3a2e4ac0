"""Chapters of books: an EPUB's table of contents, placed by the length of the text before each entry. Pure.

The table is the navigation document (EPUB 3) or else the NCX (EPUB 2). Lengths are counted in characters
that are no space, along the linear part of the spine, so how a file is indented does not matter.
"""

import posixpath
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from quintet.apps.wigg.milestones.chapters.archive import Archive
from quintet.apps.wigg.milestones.chapters.model import (
    MOST_CHAPTERS,
    Chapter,
    Chapters,
    Unreadable,
    label_of,
    quoted,
)
from quintet.apps.wigg.milestones.chapters.xml import Attributes, Element, parse, run, scanner

_CONTAINER: Final = "META-INF/container.xml"
_ENCRYPTION: Final = "META-INF/encryption.xml"
_NCX: Final = "application/x-dtbncx+xml"
_TEXT: Final = {"application/xhtml+xml", "text/html", "text/x-oeb1-document", "application/x-dtbook+xml"}
_UNREAD: Final = {"head", "script", "style"}
# Elements and pieces of text of all documents together; a Bible, marked up verse by verse, has half of that.
_MOST_PIECES: Final = 1_000_000


class _Item(msgspec.Struct, frozen=True):
    """A file of the book, as its package names it."""

    path: str
    media_type: str
    properties: list[str]


class _Entry(msgspec.Struct, frozen=True):
    """An entry of the table of contents."""

    label: str
    path: str
    fragment: str
    line: int


class _Package(msgspec.Struct, frozen=True):
    """What the package document says: the files by id, and the reading order as (id, linear, line)."""

    path: str
    items: dict[str, _Item]
    spine: list[tuple[str, bool, int]]
    ncx_id: str


def read_epub(content: bytes) -> Chapters:
    """The entries of the table of contents. Raises Unreadable."""
    archive = Archive(content)
    package = _package(archive)
    table, entries = _table_of_contents(archive, package)
    wanted: dict[str, set[str]] = {}
    for entry in entries:
        wanted.setdefault(entry.path, set()).add(entry.fragment)
    starts, whole = _measure(archive, package, wanted)
    if not whole:
        raise Unreadable("the book has no text")
    chapters: list[Chapter] = []
    for entry in entries:
        if entry.path not in starts:
            raise Unreadable(
                f"leads to what is not in the reading order: {quoted(entry.path)}",
                line=entry.line,
                part=table,
            )
        marks = starts[entry.path]
        at = marks.get(entry.fragment, marks[""])  # to a missing place: to the beginning, as readers do
        label = label_of(entry.label, len(chapters) + 1, line=entry.line, part=table)
        chapters.append(Chapter(Fraction(at), label, entry.line, table))
    return Chapters(chapters, Fraction(whole), counts_seconds=False)


def _package(archive: Archive) -> _Package:
    container = parse(archive.read(_CONTAINER), _CONTAINER)
    rootfile = next(container.all("rootfile"), None)
    path = "" if rootfile is None else rootfile.attributes.get("full-path", "")
    if not path:
        raise Unreadable("names no package document", line=container.line, part=_CONTAINER)
    root = parse(archive.read(path), path)
    manifest, spine = root.child("manifest"), root.child("spine")
    if manifest is None or spine is None:
        raise Unreadable("no manifest or no spine", line=root.line, part=path)
    items = {
        one.attributes.get("id", ""): _Item(
            _resolved(path, one.attributes.get("href", ""), one.line)[0],
            one.attributes.get("media-type", ""),
            one.attributes.get("properties", "").split(),
        )
        for one in manifest.children("item")
        if not _is_elsewhere(one.attributes.get("href", ""))
    }
    order = [
        (one.attributes.get("idref", ""), one.attributes.get("linear") != "no", one.line)
        for one in spine.children("itemref")
    ]
    return _Package(path, items, order, spine.attributes.get("toc", ""))


def _table_of_contents(archive: Archive, package: _Package) -> tuple[str, list[_Entry]]:
    """The path of the document that holds the table, and its entries in their order, nested ones too."""
    for item in package.items.values():
        if "nav" in item.properties:
            entries = _some(_nav_entries(parse(archive.read(item.path), item.path), item.path))
            if entries:
                return item.path, entries
    named = package.items.get(package.ncx_id)
    for item in [*([named] if named else []), *package.items.values()]:
        if item.media_type == _NCX:
            return item.path, _some(_ncx_entries(parse(archive.read(item.path), item.path), item.path))
    raise Unreadable("no table of contents: neither a navigation document nor an NCX", part=package.path)


def _some(entries: Iterator[_Entry]) -> list[_Entry]:
    """As many as may be, and the one that is too many."""
    return list(islice(entries, MOST_CHAPTERS + 1))


def _nav_entries(root: Element, path: str) -> Iterator[_Entry]:
    for nav in root.all("nav"):
        if "toc" in nav.attributes.get("type", "").split() or nav.attributes.get("role") == "doc-toc":
            for link in nav.all("a"):
                if "href" in link.attributes:
                    target, fragment = _resolved(path, link.attributes["href"], link.line)
                    yield _Entry(link.text(), target, fragment, link.line)
            return


def _ncx_entries(root: Element, path: str) -> Iterator[_Entry]:
    table = root.child("navMap")
    if table is None:
        raise Unreadable("no navMap", line=root.line, part=path)
    for point in table.all("navPoint"):
        label, content = point.child("navLabel"), point.child("content")
        if content is None or "src" not in content.attributes:
            raise Unreadable("an entry that leads nowhere", line=point.line, part=path)
        target, fragment = _resolved(path, content.attributes["src"], content.line)
        yield _Entry((label.text_of("text") or "") if label else "", target, fragment, point.line)


def _is_elsewhere(href: str) -> bool:
    """Whether a file of the manifest lies outside the book, as films and sounds may."""
    return href.lower().startswith(("http:", "https:"))


def _resolved(document: str, href: str, line: int) -> tuple[str, str]:
    """The path inside the archive and the fragment that a document's link leads to."""
    try:
        link = urlsplit(href.strip())
    except ValueError as error:
        raise Unreadable(f"not an address: {quoted(href)}", line=line, part=document) from error
    if link.scheme or link.netloc:
        raise Unreadable(f"leads out of the book: {quoted(href)}", line=line, part=document)
    path = document
    if link.path:
        path = posixpath.normpath(posixpath.join("/", posixpath.dirname(document), unquote(link.path)))
        path = path.lstrip("/")
    return path, unquote(link.fragment)


def _measure(
    archive: Archive, package: _Package, wanted: dict[str, set[str]]
) -> tuple[dict[str, dict[str, int]], int]:
    """Where each document of the spine and each wanted place in it starts, and how long all of it is."""
    starts: dict[str, dict[str, int]] = {}
    encrypted = _encrypted_paths(archive)
    length, pieces = 0, _MOST_PIECES
    for item_id, is_linear, line in package.spine:
        item = package.items.get(item_id)
        if item is None or item.path not in archive:
            raise Unreadable(
                f"the spine names a file that is not there: {quoted(item_id)}", line=line, part=package.path
            )
        if item.path in starts:  # measured again and again, a small book would take forever
            raise Unreadable(f"stands twice in the spine: {quoted(item_id)}", line=line, part=package.path)
        if item.path in encrypted:
            raise Unreadable("is encrypted", part=item.path)
        measured = _Measured(wanted.get(item.path, set()), pieces)
        if item.media_type in _TEXT:
            measured.take(archive.read(item.path), item.path)
        pieces = measured.pieces_left
        starts[item.path] = {
            name: length + (at if is_linear else 0) for name, at in {**measured.marks, "": 0}.items()
        }
        length += measured.length if is_linear else 0
    return starts, length


def _encrypted_paths(archive: Archive) -> set[str]:
    """What a rights management has encrypted; fonts may be, without harm."""
    if _ENCRYPTION not in archive:
        return set()
    root = parse(archive.read(_ENCRYPTION), _ENCRYPTION)
    return {unquote(one.attributes.get("URI", "")) for one in root.all("CipherReference")}


class _Measured:
    """The length of a document's text, and how much of it stands before each wanted place."""

    def __init__(self, wanted: set[str], pieces_left: int) -> None:
        self.length = 0
        self.marks: dict[str, int] = {}
        self.pieces_left = pieces_left
        self._wanted = wanted
        self._unread = 0  # how deep inside of what nobody reads

    def take(self, content: bytes, path: str) -> None:
        """Go through a document; raises Unreadable."""
        self._path = path
        self._parser = scanner(path, start=self._start, end=self._end, data=self._data)
        run(self._parser, content, path)

    def _start(self, name: str, attributes: Attributes) -> None:
        self._count()
        if name in _UNREAD or self._unread:
            self._unread += 1
        for key in ("id", "name"):
            place = attributes.get(key)
            if place in self._wanted:
                self.marks.setdefault(place, self.length)

    def _end(self, _name: str) -> None:
        if self._unread:
            self._unread -= 1

    def _data(self, text: str) -> None:
        self._count()
        if not self._unread:
            self.length += sum(map(len, text.split()))

    def _count(self) -> None:
        self.pieces_left -= 1
        if self.pieces_left < 0:
            raise Unreadable("too many elements", line=self._parser.CurrentLineNumber, part=self._path)
