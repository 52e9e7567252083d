"""What a file reaches for, whoever uses it: clocks, chance, threads, files, and data to come."""

import ast
from typing import Final

from plimsoll.cli.strategy.calls import BUILTINS, METHODS, code_of

Place = tuple[int, str, str]
"""Line, code of the rule, what is there."""

_ORDERED: Final = ("list", "tuple", "iter", "next", "enumerate")


class Names(ast.NodeVisitor):
    """Visits a whole file; ``found`` holds the places, ``aliases`` what names were imported as."""

    def __init__(self) -> None:
        """Start before the first statement."""
        self.found: list[Place] = []
        self.aliases: dict[str, str] = {}
        self.imported: list[str] = []
        """Modules, for those that stand beside the file."""
        self._told: set[str] = set()
        """Names whose import was a finding: their uses are not told again."""

    def dotted(self, node: ast.AST) -> str:
        """Return ``module.name`` of an expression, as after the imports; empty where it is none."""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id, "")
        if isinstance(node, ast.Attribute):
            before = self.dotted(node.value)
            return f"{before}.{node.attr}" if before else ""
        return ""

    # ---- imports ----

    def visit_Import(self, node: ast.Import) -> None:
        """Note the names an import binds."""
        for one in node.names:
            bound = one.asname or one.name.partition(".")[0]
            self._bind(node, bound, one.name if one.asname else bound, one.name)
            self.imported.append(one.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Note the names an import binds."""
        module = node.module or ""
        self.imported.append(module)
        for one in node.names:
            dotted = f"{module}.{one.name}"
            self._bind(node, one.asname or one.name, dotted, dotted)

    def _bind(self, node: ast.stmt, bound: str, dotted: str, what: str) -> None:
        self.aliases[bound] = dotted
        code = code_of(what)
        if code:
            self._told.add(bound)
            self._add(node, code, f"import of {what}")

    # ---- uses ----

    def visit_If(self, node: ast.If) -> None:
        """Leave out what only a script or a type checker runs."""
        test = ast.unparse(node.test)
        if test in ("TYPE_CHECKING", "typing.TYPE_CHECKING") or test.startswith("__name__ =="):
            for statement in node.orelse:
                self.visit(statement)
            return
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Look a name of a module up."""
        dotted = self.dotted(node)
        code = code_of(dotted) if dotted else ""
        if code:
            if _root(node) not in self._told:
                self._add(node, code, dotted)
            return
        if node.attr == "open_bar":
            self._add(node, "look-ahead", f"{ast.unparse(node)}: the bar under way")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Look at functions that need no import, and at methods by their name."""
        name = node.func
        if isinstance(name, ast.Name) and name.id not in self.aliases:
            if name.id in BUILTINS:
                self._add(node, BUILTINS[name.id], f"{name.id}()")
            if name.id in _ORDERED and node.args and _is_set(node.args[0]):
                self._add(node, "order", f"{name.id}() of a set")
        elif isinstance(name, ast.Attribute) and not code_of(self.dotted(name)):
            if name.attr in METHODS:
                self._add(node, METHODS[name.attr], f".{name.attr}()")
            self._look_ahead(node, name)
            self._local_time(node, name)
        self.generic_visit(node)

    def _local_time(self, node: ast.Call, name: ast.Attribute) -> None:
        """Find the time zone of the machine, which no log holds."""
        given = len(node.args) + len(node.keywords)
        if self.dotted(name) == "datetime.datetime.fromtimestamp" and given < 2:
            self._add(node, "clock", "datetime.fromtimestamp() without a time zone: the machine's")

    def _look_ahead(self, node: ast.Call, name: ast.Attribute) -> None:
        given = {one.arg: one.value for one in node.keywords}
        where = {"shift": 0, "diff": 0, "pct_change": 0, "roll": 1}
        if name.attr in where:
            place = where[name.attr]
            first = node.args[place] if len(node.args) > place else given.get("periods")
            if first is not None and _number(first) < 0:
                self._add(node, "look-ahead", f".{name.attr}({ast.unparse(first)})")
        elif name.attr == "rolling" and _text(given.get("center")) == "True":
            self._add(node, "look-ahead", ".rolling(center=True)")
        elif name.attr == "fillna" and "b" in _text(given.get("method")).strip("'")[:1]:
            self._add(node, "look-ahead", ".fillna() with values to come")

    def visit_For(self, node: ast.For) -> None:
        """Look at what a loop goes through."""
        self._order(node.iter)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """Look at what a comprehension goes through."""
        self._order(node.iter)
        self.generic_visit(node)

    def _order(self, node: ast.expr) -> None:
        if _is_set(node):
            self._add(node, "order", "a loop through a set")

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Refuse a coroutine."""
        self._add(node, "concurrency", f"async def {node.name}")
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        """Refuse a name that is changed for the whole module."""
        self._add(node, "shared", f"global {', '.join(node.names)}")

    def _add(self, node: ast.stmt | ast.expr, code: str, what: str) -> None:
        self.found.append((node.lineno, code, what))


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("set", "frozenset")
    return isinstance(node, ast.Set | ast.SetComp)


def _text(node: ast.expr | None) -> str:
    return "" if node is None else ast.unparse(node)


def _number(node: ast.expr) -> float:
    """Return a number written out, 0 where it is none."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return 0.0
    return value if isinstance(value, int | float) else 0.0
