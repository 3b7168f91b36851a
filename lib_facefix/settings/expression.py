"""Expressions with operators and brackets: the parser for the settings `mask` and `detector`.

Operators have the same precedence and are evaluated from left to right. Length, terms and nesting are limited, so that
parsing is always fast.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..errors import BadSetting, quote_value

MAX_LENGTH = 2000
"""Maximum length of an expression, in characters."""
MAX_TERMS = 64
"""Maximum number of names in an expression."""
MAX_NESTING = 16
"""Maximum depth of nested brackets."""
_OPENING = re.compile(r"\s*\(")
_COUNT = re.compile(r"\s*(\d{1,2})\s+of\s+")

Node = TypeVar("Node")


@dataclass(frozen=True)
class Grammar(Generic[Node]):
    """The syntax of one kind of expression, and functions that build its nodes."""

    title: str
    """Label of the setting, used at the start of error messages."""
    noun: str
    """Noun for one term: "mask" or "detector"."""
    signs: str
    """The operators, as error messages list them."""
    example: str
    """Correct examples, used at the end of error messages."""
    marks: re.Pattern[str]
    """Matches an operator (group "sign"), a comma, a bracket, or quoted text that may contain them."""
    leaf: Callable[[str], Node]
    """Creates a node from a name (blank if it is missing); raises `BadSetting`."""
    join: Callable[[Node, str, Node], Node]
    """Creates a node from two nodes and the operator between them."""
    vote: Callable[[int, tuple[Node, ...]], Node] | None = None
    """Creates a node from "2 of a, b, c", if the grammar supports votes."""

    def parse(self, text: str) -> Node:
        """Return the parsed expression; raises `BadSetting`."""
        if len(text) > MAX_LENGTH:
            raise BadSetting(f"{self.title} must have at most {MAX_LENGTH} characters, not {len(text)}")
        reader = _Reader(self, text)
        node = reader.expression(0)
        if reader.mark:
            raise BadSetting(
                f"{self.title} must be an expression {self.example}. {quote_value(text)} has an extra closing bracket"
            )
        return node


class _Reader(Generic[Node]):
    """One text on its way from left to right."""

    def __init__(self, grammar: Grammar[Node], text: str) -> None:
        self._grammar, self._text = grammar, text
        self._at = self._terms = 0
        self.mark = ""
        """The operator, comma or closing bracket read last; blank at the end of the text."""

    def expression(self, nesting: int) -> Node:
        """Parse up to a closing bracket or the end."""
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
        """Parse a name or an expression in brackets, and the mark after it."""
        grammar, opening = self._grammar, _OPENING.match(self._text, self._at)
        if not opening:
            self._terms += 1
            if self._terms > MAX_TERMS:
                raise BadSetting(f"{grammar.title} must combine at most {MAX_TERMS} {grammar.noun}s")
            return grammar.leaf(self._up_to_mark(voting=voting))
        if nesting == MAX_NESTING:
            raise BadSetting(f"{grammar.title} must have at most {MAX_NESTING} nested brackets")
        self._at = opening.end()
        node = self.expression(nesting + 1)
        if self.mark != ")":
            raise BadSetting(f"{grammar.title} must be an expression {grammar.example}. A closing bracket is missing")
        if self._up_to_mark(voting=voting):
            raise missing_sign(grammar)
        return node

    def _up_to_mark(self, *, voting: bool) -> str:
        """Return the text before the next mark, and skip the mark. Brackets opened within a name belong to the name."""
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
    """Return the error for two terms without an operator between them."""
    return BadSetting(f"{grammar.title}: put one of {grammar.signs} between two {grammar.noun}s, {grammar.example}")
