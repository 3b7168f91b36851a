"""The class names in YOLO files, read without running anything in them.

An ONNX file has them in its metadata. A checkpoint (.pt) has them in its pickle, of which only the operations are read:
after the text "names", those that make a dictionary of numbers and texts, or a list of texts.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .checkpoints import list_operations
from .onnxfile import read_onnx

MAX_TEXT = 1 << 17
"""Longest text in the metadata, in characters. Parsing it takes 500 times as much memory."""
_KEY = "names"
_MEMO = ("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT")
_RECALL = ("BINGET", "LONG_BINGET", "GET")
_ENDS = {"EMPTY_DICT": ("SETITEMS", "SETITEM"), "EMPTY_LIST": ("APPENDS", "APPEND")}
"""Operations that begin a dictionary or a list, and those that fill it."""

Operation = tuple[str, Any]
"""Name and argument of an operation of a pickle."""


def read_class_names(path: Path) -> dict[int, str]:
    """Return the class names of an .onnx or .pt file by number; none if it has none. Raises `BadModel`."""
    if path.suffix.lower() == ".onnx":
        return parse_class_names(read_onnx(path).metadata.get(_KEY, ""))
    return _find_names(_resolve_texts(list_operations(path)))


def parse_class_names(text: str) -> dict[int, str]:
    """Return the names from "{0: 'face', 1: 'hand'}" or "['face', 'hand']"; none from any other text."""
    return _number_names(parse_literal(text))


def parse_literal(text: str) -> Any:
    """Return the value of a Python literal in the metadata; None for any other or a very long text."""
    if len(text) > MAX_TEXT:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _number_names(read: Any) -> dict[int, str]:
    pairs = read.items() if isinstance(read, dict) else enumerate(read) if isinstance(read, list | tuple) else ()
    return {number: str(name) for number, name in pairs if isinstance(number, int)}


def _resolve_texts(operations: Iterator[Operation]) -> Iterator[Operation]:
    """Yield the operations without those of the memo; a text that is recalled from it is yielded again."""
    memo: dict[int, str] = {}
    last: Operation = ("", None)
    for name, argument in operations:
        if name in _MEMO:
            if isinstance(last[1], str):
                memo[len(memo) if argument is None else int(argument)] = last[1]
            elif argument is None:
                memo[len(memo)] = ""  # the place of something else
            continue
        last = (name, argument)
        if name in _RECALL and int(argument) in memo:
            last = ("UNICODE", memo[int(argument)])
        yield last


def _find_names(operations: Iterator[Operation]) -> dict[int, str]:
    """Return the first names in the operations; none if there are none."""
    for name, argument in operations:
        if argument != _KEY or "UNICODE" not in name:
            continue
        begin, _ = next(operations, ("", None))
        if begin in _ENDS and (found := _read_values(operations, _ENDS[begin], begin == "EMPTY_DICT")):
            return found
    return {}


def _read_values(operations: Iterator[Operation], ends: tuple[str, ...], by_number: bool) -> dict[int, str]:
    """Return the names up to the end of a dictionary, or a list; none if it contains anything else."""
    values: list[Any] = []
    for name, argument in operations:
        if name in ends:
            pairs = zip(values[::2], values[1::2], strict=False) if by_number else enumerate(values)
            found = {number: text for number, text in pairs if isinstance(number, int) and isinstance(text, str)}
            return found if len(found) == len(values) // (2 if by_number else 1) else {}
        if name == "MARK":
            continue
        if not isinstance(argument, int | str):
            return {}
        values.append(argument)
    return {}
