"""Names joined by signs, with brackets: the one parser for masks and for detectors as people write them.

Signs are read from left to right, none binds closer than another, and brackets come first. Length, terms and nesting
are bounded, so that no text takes long to read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..errors import BadSetting, shown

MAX_LENGTH = 2000
"""The longest text that is read, in characters."""
MAX_TERMS = 64
"""The most names in an expression."""
MAX_NESTING = 16
"""The most brackets that may be open at once."""
_OPENING = re.compile(r"\s*\(")
_COUNT = re.compile(r"\s*(\d{1,2})\s+of\s+")

Node = TypeVar("Node")


@dataclass(frozen=True)
class Grammar(Generic[Node]):
    """One kind of expression: how it is written, and what is made of it."""

    title: str
    """The name of the setting, with which every error sentence begins."""
    noun: str
    """The word for what a name stands for."""
    signs: str
    """The signs, for error sentences."""
    example: str
    """The end of error sentences: how it is written."""
    marks: re.Pattern[str]
    """Matches a sign (its group "sign"), a comma between votes, a bracket, or a text in which none of these counts."""
    leaf: Callable[[str], Node]
    """Makes a node of a name, blank where one is missing; raises `BadSetting`."""
    join: Callable[[Node, str, Node], Node]
    """Makes one node of two and the sign between them."""
    vote: Callable[[int, tuple[Node, ...]], Node] | None = None
    """Makes a node of "2 of a, b, c", in a grammar that has that."""

    def parse(self, text: str) -> Node:
        """Return what the text says; raises `BadSetting`."""
        if len(text) > MAX_LENGTH:
            raise BadSetting(f"{self.title} must have at most {MAX_LENGTH} characters, not {len(text)}")
        reader = _Reader(self, text)
        node = reader.expression(0)
        if reader.mark:
            raise BadSetting(f"{self.title} has a closing bracket too many, {self.example}; not {shown(text)}")
        return node


class _Reader(Generic[Node]):
    """One text on its way from left to right."""

    def __init__(self, grammar: Grammar[Node], text: str) -> None:
        self._grammar, self._text = grammar, text
        self._at = self._terms = 0
        self.mark = ""
        """The sign, comma or closing bracket that was read last; blank at the end of the text."""

    def expression(self, nesting: int) -> Node:
        """Read up to a closing bracket, or to the end."""
        vote, count = self._grammar.vote, _COUNT.match(self._text, self._at)
        if vote and count:
            self._at = count.end()
            parts = [self._operand(nesting, voting=True)]
            while self.mark == ",":
                parts.append(self._operand(nesting, voting=True))
            return vote(int(count[1]), tuple(parts))
        node = self._operand(nesting)
        while self.mark not in ("", ")"):
            node = self._grammar.join(node, self.mark, self._operand(nesting))
        return node

    def _operand(self, nesting: int, *, voting: bool = False) -> Node:
        """Read a name or a bracketed expression, and the mark after it."""
        grammar, opening = self._grammar, _OPENING.match(self._text, self._at)
        if not opening:
            self._terms += 1
            if self._terms > MAX_TERMS:
                raise BadSetting(f"{grammar.title} must join at most {MAX_TERMS} {grammar.noun}s")
            return grammar.leaf(self._up_to_mark(voting=voting))
        if nesting == MAX_NESTING:
            raise BadSetting(f"{grammar.title} must have at most {MAX_NESTING} brackets inside each other")
        self._at = opening.end()
        node = self.expression(nesting + 1)
        if self.mark != ")":
            raise BadSetting(f"{grammar.title} has an opening bracket too many, {grammar.example}")
        if self._up_to_mark(voting=voting):
            raise missing_sign(grammar)
        return node

    def _up_to_mark(self, *, voting: bool) -> str:
        """Return the text before the next mark, and step over that; brackets that open inside a name belong to it."""
        start, nested = self._at, 0
        for found in self._grammar.marks.finditer(self._text, start):
            mark = found["sign"] or found[0]
            if mark == "(":
                nested += 1
            elif mark == ")" and nested:
                nested -= 1
            elif mark == ")" or (mark == "," if voting else found["sign"]):
                self._at, self.mark = found.end(), mark
                return self._text[start : found.start()].strip()
        self._at, self.mark = len(self._text), ""
        return self._text[start:].strip()


def missing_sign(grammar: Grammar[Node]) -> BadSetting:
    """Return the error that two terms stand side by side."""
    return BadSetting(
        f"{grammar.title}: between two {grammar.noun}s must stand one of {grammar.signs}, {grammar.example}"
    )
