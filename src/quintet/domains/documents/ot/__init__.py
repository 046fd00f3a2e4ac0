"""Operational transform of text: pure mathematics, no I/O.

Invariant: for every two operations on one text, either order with the other one transformed gives the same
text (TP1); of two insertions at one place the one committed later stands to the left, whoever transforms.

An operation is a tuple of parts that walk over a text from its start: a positive number keeps so many code
points, a string is inserted, a negative number deletes so many. `(5, "abc", -3)` keeps five, inserts "abc",
deletes three and keeps the rest. The order of the parts is kept, on arrival and in every transform, as in
ShareDB's text type: `("x", -3)` and `(-3, "x")` give the same text, but stand differently to what others do
inside the deleted range.
"""

from quintet.domains.documents.ot.operation import (
    MOST_CODE_POINTS,
    InvalidOperation,
    Operation,
    OutOfBounds,
    apply,
    base_length,
    compose,
    invert,
    length_change,
)
from quintet.domains.documents.ot.plain import PlainPart, from_plain, plain_parts
from quintet.domains.documents.ot.reading import MOST_PARTS, parse_ops, to_json
from quintet.domains.documents.ot.transforming import transform, transform_position
from quintet.domains.documents.ot.units import Unit, to_codepoints, to_utf16, utf16_length

__all__ = [
    "MOST_CODE_POINTS",
    "MOST_PARTS",
    "InvalidOperation",
    "Operation",
    "OutOfBounds",
    "PlainPart",
    "Unit",
    "apply",
    "base_length",
    "compose",
    "from_plain",
    "invert",
    "length_change",
    "parse_ops",
    "plain_parts",
    "to_codepoints",
    "to_json",
    "to_utf16",
    "transform",
    "transform_position",
    "utf16_length",
]
