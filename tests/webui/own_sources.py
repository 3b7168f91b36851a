"""What our sources ask of a WebUI: every name of its modules, how it is called, and which methods are overridden."""

import ast
from dataclasses import dataclass

from host_sources import FUNCTIONS, INSTANCE, ROOTS, Missing
from signatures import Signature, wrong_call, wrong_override

CALLED_BY_NAME = ("modules.scripts.Script", "modules.scripts_postprocessing.ScriptPostprocessing")
"""Classes of whose subclasses a host calls what it knows: a public method that it does not know is never called."""


@dataclass(frozen=True)
class Use:
    """One place where we name something of a host's."""

    path: tuple
    where: str
    call: ast.Call | None = None
    override: ast.arguments | None = None

    @property
    def name(self):
        """The dotted name."""
        return ".".join(part for part in self.path if part != INSTANCE)

    def complaints(self, host):
        """Yield in words what is wrong with it in this host."""
        try:
            signature = host.signature(thing := host.find(self.path))
        except Missing as missing:
            if self.override is None or ".".join(self.path[: self.path.index(INSTANCE)]) in CALLED_BY_NAME:
                yield f"{self.where}: {missing}"
            return
        if thing.kind == "unknown" and not _is_option(self.path, host):
            yield f"{self.where}: the host has no option {self.path[3]}"
        if self.call and signature:
            yield from (f"{self.where}: {self.name}{wrong}" for wrong in wrong_call(self.call, signature))
        if self.override and signature:
            ours = Signature.of(self.override, skip=1)
            yield from (f"{self.where}: {self.name}{wrong}" for wrong in wrong_override(ours, signature))


def uses(text, name):
    """Return all uses in a source file; name: what the file is called in complaints."""
    reader = _Reader(name)
    tree = ast.parse(text)
    reader.known = _imports(tree, reader)
    reader.visit(tree)
    return reader.found


def _imports(tree, reader):
    """Return the path behind every imported name of a host's."""
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                path = tuple(alias.name.split("."))
                known[alias.asname or path[0]] = path if alias.asname else path[:1]
                reader.note(path, node)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = path = (*node.module.split("."), alias.name)
                reader.note(path, node)
    return {name: path for name, path in known.items() if path[0] in ROOTS}


class _Reader(ast.NodeVisitor):
    def __init__(self, name):
        self.name, self.found, self.known = name, [], {}
        self._hidden = [frozenset()]
        self._base, self._own = None, frozenset()

    def note(self, path, node, **facts):
        if path[0] in ROOTS:
            self.found.append(Use(tuple(path), f"{self.name}:{node.lineno}", **facts))

    def visit_FunctionDef(self, node):
        inside = [inner for inner in ast.walk(node) if inner is not node]
        names = {inner.arg for inner in inside if isinstance(inner, ast.arg)}
        names |= {inner.id for inner in inside if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)}
        self._hidden.append(self._hidden[-1] | names)
        self.generic_visit(node)
        self._hidden.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 the name that NodeVisitor looks for

    def visit_ClassDef(self, node):
        before = self._base, self._own
        self._base, self._own = next(filter(None, map(self._path, node.bases)), None), _own_names(node)
        methods = [inner for inner in node.body if isinstance(inner, FUNCTIONS) and not inner.name.startswith("_")]
        for method in methods if self._base else ():
            if not method.decorator_list:
                self.note((*self._base, INSTANCE, method.name), method, override=method.args)
        self.generic_visit(node)
        self._base, self._own = before

    def visit_Call(self, node):
        if path := self._path(node.func):
            self.note(path, node, call=node)
        else:
            self.visit(node.func)
        for inner in (*node.args, *node.keywords):
            self.visit(inner)

    def visit_Attribute(self, node):
        if path := self._path(node):
            self.note(path, node)
        else:
            self.generic_visit(node)

    def visit_Name(self, node):
        if path := self._path(node):
            self.note(path, node)

    def _path(self, node):
        """Return the path that an expression names in a host, if it does."""
        if isinstance(node, ast.Name):
            return None if node.id in self._hidden[-1] else self.known.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self._object(node)
            return (*base, node.attr) if base else None
        return self._imported(node) if isinstance(node, ast.Call) else None

    def _object(self, node):
        """Return the path of what the attribute is of."""
        if self._base and isinstance(node.value, ast.Name) and node.value.id == "self":
            return None if node.attr in self._own else (*self._base, INSTANCE)
        if self._base and isinstance(node.value, ast.Call) and ast.unparse(node.value) == "super()":
            return (*self._base, INSTANCE)
        return self._path(node.value)

    def _imported(self, node):
        """Return the path in import_module("...")."""
        called = ast.unparse(node.func).endswith("import_module") and node.args
        if called and isinstance(node.args[0], ast.Constant):
            path = tuple(node.args[0].value.split("."))
            return path if path[0] in ROOTS else None
        return None


def _own_names(node):
    """Return what a class of ours has itself: its members, and what its `__init__` sets."""
    members = {inner.name for inner in node.body if isinstance(inner, FUNCTIONS)}
    members |= {name.id for line in node.body if isinstance(line, ast.Assign) for name in line.targets}
    starts = [inner for inner in node.body if isinstance(inner, FUNCTIONS) and inner.name == "__init__"]
    stored = (inner for start in starts for inner in ast.walk(start) if isinstance(inner, ast.Attribute))
    return members | {inner.attr for inner in stored if isinstance(inner.ctx, ast.Store)}


def _is_option(path, host):
    """Tell whether an option or a flag of the host's that is asked for is declared somewhere."""
    if path[:2] != ("modules", "shared") or len(path) != 4 or path[2] not in ("opts", "cmd_opts"):
        return True
    name = path[3]
    return any(map(host.says, (f'"{name}"', f"'{name}'", f"--{name.replace('_', '-')}", f"def {name}(")))
