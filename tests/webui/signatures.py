"""What functions and classes may be called with, and whether they are."""

import ast
from dataclasses import dataclass


@dataclass(frozen=True)
class Signature:
    """What may be passed."""

    positional: tuple[str, ...] = ()
    keywords: frozenset[str] = frozenset()
    """That are no positional ones."""
    required: frozenset[str] = frozenset()
    more_positional: bool = False
    more_keywords: bool = False

    @classmethod
    def of(cls, arguments, skip=0):
        """Read a function's; `skip` leaves out the first, `self`."""
        names = [arg.arg for arg in (*arguments.posonlyargs, *arguments.args)]
        needed = names[skip : len(names) - len(arguments.defaults)]
        pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        needed += [arg.arg for arg, default in pairs if default is None]
        keywords = frozenset(arg.arg for arg in arguments.kwonlyargs)
        more = bool(arguments.vararg), bool(arguments.kwarg)
        return cls(tuple(names[skip:]), keywords, frozenset(needed), *more)


def is_dataclass(node):
    """Tell whether the class is marked as one."""
    return any("dataclass" in ast.unparse(mark) for mark in node.decorator_list)


def fields_of(classes):
    """Return what the `__init__` of a dataclass takes; the classes from the oldest to the youngest."""
    said = {}
    for node in classes:
        for line in node.body:
            if isinstance(line, ast.AnnAssign) and "ClassVar" not in ast.unparse(line.annotation):
                said[line.target.id] = "" if line.value is None else ast.unparse(line.value)
    taken = {name: value for name, value in said.items() if "init=False" not in value}
    return Signature(tuple(taken), required=frozenset(name for name, value in taken.items() if not value))


def wrong_call(call, signature):
    """Yield in words why the call does not suit the signature."""
    starred = any(isinstance(arg, ast.Starred) for arg in call.args)
    names = {keyword.arg for keyword in call.keywords}
    given = {*signature.positional[: len(call.args)], *names}
    if not starred and len(call.args) > len(signature.positional) and not signature.more_positional:
        yield f" takes {len(signature.positional)} arguments, not {len(call.args)}"
    allowed = {*signature.positional, *signature.keywords, None}
    if not signature.more_keywords and names - allowed:
        yield f" takes no {', '.join(sorted(names - allowed))}"
    if not starred and None not in names and signature.required - given:
        yield f" needs {', '.join(sorted(signature.required - given))}"


def wrong_override(ours, theirs):
    """Yield in words why a method of ours cannot stand in for theirs, as a host would call it."""
    if not ours.more_positional and len(ours.positional) < len(theirs.positional):
        yield f" is given {len(theirs.positional)} arguments, and ours takes {len(ours.positional)}"
    if theirs.more_positional and not ours.more_positional:
        yield " is given any number of arguments"
    if theirs.more_keywords and not ours.more_keywords:
        yield " is given arguments by name that ours does not take"
    if len([name for name in ours.positional if name in ours.required]) > len(theirs.positional):
        yield f" is given {len(theirs.positional)} arguments, and ours needs more"
    if missing := (theirs.keywords - ours.keywords if not ours.more_keywords else ()):
        yield f" is given {', '.join(sorted(missing))}"
