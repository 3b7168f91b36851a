"""What the sources of a WebUI offer, read without running them."""

import ast
import functools
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from signatures import Signature, fields_of, is_dataclass

ROOTS = ("modules", "modules_forge", "backend", "launch")
"""Top-level modules that belong to hosts."""
INSTANCE = "()"
"""In the path of a name: one of the class before it."""
BLOCKS = (ast.If, ast.Try, ast.With, ast.For, ast.While)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Missing(LookupError):
    """A host does not have what was looked for."""


@dataclass(frozen=True)
class Thing:
    """What a name stands for. Of an "unknown" everything is believed."""

    kind: str
    """module, class, instance, function, namedtuple, unknown."""
    module: str = ""
    node: ast.AST | None = None
    bound: bool = False
    """A method that is given its object."""


UNKNOWN = Thing("unknown")


@dataclass(eq=False)
class Host:
    """A checkout of a WebUI."""

    root: Path
    trees: dict = field(default_factory=dict)

    def find(self, path):
        """Return what the path, of parts of a dotted name, stands for; raises `Missing`."""
        thing = self._module(path[0])
        for part in path[1:]:
            thing = self._step(thing, part)
        return thing

    def says(self, text):
        """Tell whether the text stands in any of the host's own files."""
        return any(text in source for source in self._texts)

    def signature(self, thing):
        """Return what the thing may be called with; None where that is not known."""
        if thing.kind == "function":
            return Signature.of(thing.node.args, skip=int(thing.bound))
        if thing.kind == "namedtuple":
            names = tuple(ast.literal_eval(thing.node.args[1]))
            return Signature(names, required=frozenset(names))
        if thing.kind != "class":
            return None
        classes, complete = self._line(thing)
        for one in classes:
            if "__init__" in self._members(one):
                return Signature.of(self._members(one)["__init__"].args, skip=1)
            if is_dataclass(one.node):
                return fields_of([kin.node for kin in reversed(classes) if is_dataclass(kin.node)])
        return Signature() if complete else None

    @functools.cached_property
    def _texts(self):
        paths = [path for root in ROOTS for path in (self.root / root).rglob("*.py")]
        return [path.read_text("utf-8", errors="replace") for path in paths]

    def _module(self, name):
        if self._tree(name) is None:
            raise Missing(f"there is no module {name}")
        return Thing("module", name)

    def _tree(self, name):
        if name not in self.trees:
            place = self.root.joinpath(*name.split("."))
            files = [path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()]
            text = files[0].read_text("utf-8") if files else "" if place.is_dir() else None
            self.trees[name] = None if text is None else _bindings(_parsed(text), name, self)
        return self.trees[name]

    def _step(self, thing, part):
        if thing.kind == "module":
            return self._in_module(thing.module, part)
        if thing.kind == "class" and part == INSTANCE:
            return Thing("instance", thing.module, thing.node)
        if thing.kind in ("class", "instance"):
            return self._in_class(thing, part)
        return UNKNOWN

    def _in_module(self, module, part):
        names = self._tree(module)
        if part in names:
            return self._meaning(module, names[part])
        if self._tree(f"{module}.{part}") is not None:
            return Thing("module", f"{module}.{part}")
        if names.keys() & {"__getattr__", "*"}:
            return UNKNOWN
        raise Missing(f"{module} has no {part}")

    def _in_class(self, thing, part):
        classes, complete = self._line(thing)
        for one in classes:
            node = self._members(one).get(part, self)
            if isinstance(node, FUNCTIONS):
                marks = {mark.id for mark in node.decorator_list if isinstance(mark, ast.Name)}
                if "property" in marks and thing.kind == "instance":
                    return UNKNOWN
                bound = "classmethod" in marks or (thing.kind == "instance" and "staticmethod" not in marks)
                return Thing("function", one.module, node, bound)
            if node is not self:
                return self._meaning(one.module, node)
            if "__getattr__" in self._members(one) and thing.kind == "instance":
                return UNKNOWN
        if part == "__init__":  # a dataclass's, or none
            return Thing("class", thing.module, thing.node)
        if complete:
            raise Missing(f"{thing.module}.{thing.node.name} has no {part}")
        return UNKNOWN

    def _line(self, thing):
        """Return the class and all it inherits from, nearest first, and whether that is all of it."""
        classes, complete = [thing], True
        for base in thing.node.bases:
            kin = self._expression(thing.module, base)
            if kin.kind == "class":
                more, whole = self._line(kin)
                classes, complete = [*classes, *more], complete and whole
            else:
                complete = complete and isinstance(base, ast.Name) and base.id == "object"
        return classes, complete

    def _members(self, thing):
        """Return what stands in the class itself, and what its methods set on `self`."""
        stored = (node for node in ast.walk(thing.node) if isinstance(node, ast.Attribute))
        on_self = {
            node.attr: None
            for node in stored
            if isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == "self"
        }
        return {**on_self, **_bindings(thing.node.body, thing.module, self)}

    def _meaning(self, module, node):
        if isinstance(node, tuple):  # imported
            return self.find(node) if node[0] in ROOTS else UNKNOWN
        if isinstance(node, FUNCTIONS):
            return Thing("function", module, node)
        if isinstance(node, ast.ClassDef):
            return Thing("class", module, node)
        if isinstance(node, ast.AnnAssign):
            return self._one_of(self._expression(module, node.annotation))
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id == "namedtuple":
                return Thing("namedtuple", module, node)
            return self._one_of(self._expression(module, node.func))
        return self._expression(module, node)

    def _one_of(self, thing):
        return Thing("instance", thing.module, thing.node) if thing.kind == "class" else UNKNOWN

    def _expression(self, module, node):
        """Return what an expression in a host's module stands for, as far as it is plain."""
        try:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                return self._expression(module, ast.parse(node.value, mode="eval").body)
            if isinstance(node, ast.Name):
                return self._in_module(module, node.id)
            if isinstance(node, ast.Attribute):
                return self._step(self._expression(module, node.value), node.attr)
        except (Missing, SyntaxError, RecursionError):  # a host's own affair, a text, two that import each other
            return UNKNOWN
        return UNKNOWN


def _parsed(text):
    with warnings.catch_warnings():  # of backslashes in texts
        warnings.simplefilter("ignore")
        return ast.parse(text).body


def _bindings(statements, module, host):
    """Return what the statements bind, by name: a definition, an expression, the path of an import, or None."""
    found = {}
    for node in statements:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            found[node.name] = node
            found |= {name: None for inner in ast.walk(node) if isinstance(inner, ast.Global) for name in inner.names}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= _imported(node, module, host)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
        elif isinstance(node, ast.Assign):
            names = {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
            plain = all(isinstance(target, ast.Name) for target in node.targets)
            found |= dict.fromkeys(names, node.value if plain else None)
        elif isinstance(node, BLOCKS):
            stored = (name for name in ast.walk(node) if isinstance(name, ast.Name))
            inner = {name.id: None for name in stored if isinstance(name.ctx, ast.Store)}
            parts = [*node.body, *getattr(node, "orelse", ()), *getattr(node, "finalbody", ())]
            parts += [inside for handler in getattr(node, "handlers", ()) for inside in handler.body]
            found |= {**inner, **_bindings(parts, module, host)}
    return found


def _imported(node, module, host):
    if isinstance(node, ast.Import):
        pairs = [(alias.asname, alias.name.split(".")) for alias in node.names]
        return {name or path[0]: tuple(path if name else path[:1]) for name, path in pairs}
    base = module.split(".")[: -node.level] if node.level else []
    path = (*base, *(node.module or "").split(".")) if node.module else tuple(base)
    if node.names[0].name == "*":
        names = host._tree(".".join(path)) if path[0] in ROOTS else None
        return {name: (*path, name) for name in names} if names is not None else {"*": None}
    return {alias.asname or alias.name: (*path, alias.name) for alias in node.names}
