"""XML without its dangers: no entity can be declared, nothing is loaded, depth and size are bounded. Pure.

Invariant: names are compared without their prefixes, and never expanded to namespaces: one namespace of a
megabyte, expanded at each of a hundred thousand elements, would be a bomb. A DOCTYPE is read over.
"""

import html.entities
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, Final
from xml.parsers import expat

from quintet.apps.wigg.milestones.chapters.model import Unreadable

MOST_ELEMENTS: Final = 100_000
MOST_DEPTH: Final = 200
MOST_TEXT: Final = 1000

Attributes = dict[str, str]


class Element:
    """An element with what stands in it, in order."""

    __slots__ = ("attributes", "content", "line", "name")

    def __init__(self, name: str, attributes: Attributes, line: int) -> None:
        self.name = name
        self.attributes = attributes
        self.line = line
        self.content: list[Element | str] = []

    def children(self, name: str) -> list["Element"]:
        """The elements of that name right below."""
        return [one for one in self.content if isinstance(one, Element) and one.name == name]

    def child(self, name: str) -> "Element | None":
        """The first of them."""
        return next(iter(self.children(name)), None)

    def all(self, name: str) -> Iterator["Element"]:
        """The elements of that name at any depth, this one included, in their order."""
        if self.name == name:
            yield self
        for one in self.content:
            if isinstance(one, Element):
                yield from one.all(name)

    def text(self) -> str:
        """The text inside, of pictures their description; as much of it as anybody could need.

        Bounded, since elements nested in one another would each repeat all that is inside of them.
        """
        said: list[str] = []
        left = MOST_TEXT
        for one in islice(self._words(), MOST_TEXT):
            said.append(one[:left])
            left -= len(one)
            if left <= 0:
                break
        return "".join(said)

    def _words(self) -> Iterator[str]:
        """Pieces of text, one (which may be empty) for each element and each piece."""
        yield self.attributes.get("alt", "")
        for one in self.content:
            if isinstance(one, str):
                yield one
            else:
                yield from one._words()  # noqa: SLF001 (its own kind)

    def text_of(self, name: str) -> str | None:
        """The text of the first child of that name, without surrounding space; None where there is none."""
        child = self.child(name)
        return None if child is None else child.text().strip()


class _Enough(Exception):
    """What was looked for is found."""


def parse(content: bytes, part: str = "") -> Element:
    """The root of a document; raises Unreadable."""
    top = Element("", {}, 0)
    path = [top]
    count = 0

    def start(name: str, attributes: Attributes) -> None:
        nonlocal count
        count += 1
        if count > MOST_ELEMENTS or len(path) > MOST_DEPTH:
            raise Unreadable("too many elements", line=parser.CurrentLineNumber, part=part)
        element = Element(name, attributes, parser.CurrentLineNumber)
        path[-1].content.append(element)
        path.append(element)

    def end(_name: str) -> None:
        path.pop()

    def data(text: str) -> None:
        path[-1].content.append(text)

    parser = scanner(part, start=start, end=end, data=data)
    run(parser, content, part)
    (root,) = (one for one in top.content if isinstance(one, Element))
    return root


def root_name(content: bytes) -> str:
    """The name of the root, read no further than that; raises Unreadable."""
    found = ""

    def start(name: str, _attributes: Attributes) -> None:
        nonlocal found
        found = name
        raise _Enough

    with suppress(_Enough):
        run(scanner("", start=start), content, "")
    return found


def scanner(
    part: str,
    *,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    data: Callable[[str], None] | None = None,
) -> Any:
    """A parser that tells of elements and text, and refuses every declaration of an entity."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.specified_attributes = True  # a default of a megabyte, told at each element, would be a bomb

    def refuse(*_: object) -> None:
        raise Unreadable("declares an entity", line=parser.CurrentLineNumber, part=part)

    def start_without_prefix(name: str, attributes: Attributes) -> None:
        start(_local(name), {_local(key): value for key, value in attributes.items()})

    def skipped(name: str, is_parameter: bool) -> None:
        # Entities that XHTML's own DTD would declare, which is not loaded.
        if data is not None and not is_parameter:
            data(html.entities.html5.get(f"{name};", ""))

    parser.EntityDeclHandler = refuse
    parser.SkippedEntityHandler = skipped
    parser.StartElementHandler = start_without_prefix
    if end is not None:
        parser.EndElementHandler = lambda name: end(_local(name))
    if data is not None:
        parser.CharacterDataHandler = data
    return parser


def run(parser: Any, content: bytes, part: str) -> None:
    """Parse all of it; raises Unreadable.

    At once, not in pieces: expat begins an unfinished token anew with each piece, and old versions of it
    would so take quadratic time for one that is as long as the file.
    """
    try:
        parser.Parse(content, True)  # noqa: FBT003 (takes no name)
    except expat.ExpatError as error:
        raise Unreadable(expat.ErrorString(error.code), line=error.lineno, part=part) from error
    except (LookupError, ValueError) as error:
        raise Unreadable("an encoding that is not known", line=1, part=part) from error


def _local(name: str) -> str:
    return name.rpartition(":")[2]
