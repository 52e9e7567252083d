"""What the classes of a file keep, share and ask for: read from their bodies, nothing is run."""

import ast
import difflib
import inspect
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from plimsoll.cli.strategy.calls import CHANGES
from plimsoll.cli.strategy.names import Names, Place
from plimsoll.core.strategy import Strategy
from plimsoll.core.strategy.indicators import KINDS

_HOOKS: Final = {
    name: list(inspect.signature(method).parameters.values())
    for name, method in vars(Strategy).items()
    if name.startswith("on_")
}
"""The callbacks, with what each is called with."""

_AT_START: Final = frozenset({"__init__", "on_start"})
_MUTABLE: Final = ("list", "dict", "set", "defaultdict", "deque", "Counter", "OrderedDict")
_FRAMED: Final = frozenset({"window", *KINDS})
"""Methods that are asked with an instrument and a time frame."""


class Body(NamedTuple):
    """What the body of a strategy class declares, its bases in the same file included."""

    states: set[str]
    parameters: set[str]
    mutables: dict[str, int]
    """Attributes that are one list or dict for all instances, with their lines."""
    frames: dict[str, int] | None
    """Declared bars, None where they are not written out."""


def places(tree: ast.Module, names: Names) -> Iterator[Place]:
    """Yield what is to be said of a file's classes and of what its module keeps."""
    yield from _module_state(tree)
    bodies: dict[str, Body] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            body = _body(node, names, bodies)
            if body is not None:
                bodies[node.name] = body
                yield from _class(node, body)


# ---- what a module keeps ----


def _module_state(tree: ast.Module) -> Iterator[Place]:
    made = {
        target.id: node.lineno
        for node in tree.body
        for target in _targets(node)
        if isinstance(target, ast.Name) and _is_mutable(_value(node))
    }
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            own = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
            own |= {
                target.id
                for node in ast.walk(function)
                for target in _targets(node)
                if isinstance(target, ast.Name) and not isinstance(node, ast.AugAssign)
            }
            for node in ast.walk(function):
                name = _changed(node)
                if isinstance(name, ast.Name) and name.id in made and name.id not in own:
                    what = f"{name.id}, made in line {made[name.id]}, is changed here"
                    yield name.lineno, "shared", what


def _changed(node: ast.AST) -> ast.expr | None:
    """Return what a statement or call changes in place, None where nothing."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.value if node.func.attr in CHANGES else None
    for target in _targets(node):
        if isinstance(target, ast.Subscript):
            return target.value
        if isinstance(node, ast.AugAssign) and isinstance(target, ast.Name):
            return target
    return None


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign | ast.Delete):
        flat: list[ast.expr] = []
        for target in node.targets:
            flat += target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        return flat
    if isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For):
        return [node.target]
    return []


def _value(node: ast.AST) -> ast.expr | None:
    return node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None


def _is_mutable(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Call):
        name = node.func
        return getattr(name, "attr", getattr(name, "id", "")) in _MUTABLE
    kinds = ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp
    return isinstance(node, kinds)


# ---- what a class declares ----


def _body(node: ast.ClassDef, names: Names, known: dict[str, Body]) -> Body | None:
    """Return what a class declares, None where it is no strategy."""
    bases = [names.dotted(base) or ast.unparse(base) for base in node.bases]
    methods = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
    is_plain = any(base.startswith("plimsoll.") and base.endswith(".Strategy") for base in bases)
    if not is_plain and not any(base in known for base in bases) and not methods & _HOOKS.keys():
        return None
    states: set[str] = set()
    parameters: set[str] = set()
    mutables: dict[str, int] = {}
    frames: dict[str, int] | None = {} if is_plain else None
    for base in bases:
        if base in known:
            above = known[base]
            states, parameters = states | above.states, parameters | above.parameters
            mutables, frames = mutables | above.mutables, above.frames
    for one in node.body:
        for target in _targets(one):
            if not isinstance(target, ast.Name):
                continue
            value = _value(one)
            if target.id == "bars":
                frames = _literal(value)
            elif isinstance(value, ast.Call) and names.dotted(value.func).endswith(".state"):
                states.add(target.id)
            elif isinstance(one, ast.AnnAssign) and not ast.unparse(one.annotation).startswith(
                "ClassVar"
            ):
                parameters.add(target.id)
            elif _is_mutable(value) and target.id != "instruments":
                mutables[target.id] = one.lineno
    return Body(states, parameters, mutables, frames)


def _literal(node: ast.expr | None) -> Any:  # noqa: ANN401 - whatever is written there
    try:
        return ast.literal_eval(node) if node is not None else None
    except ValueError:
        return None


# ---- what its methods do ----


def _class(node: ast.ClassDef, body: Body) -> Iterator[Place]:
    methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
    yield from _kept(methods, body)
    for method in methods:
        yield from _callback(method)
        windows = _windows(method)
        for inner in ast.walk(method):
            if isinstance(inner, ast.Attribute):
                yield from _inside(inner)
            elif isinstance(inner, ast.Call) and body.frames is not None:
                yield from _frame(inner, body.frames)
            elif isinstance(inner, ast.Subscript):
                yield from _beyond(inner, windows, body.frames or {})


def _callback(method: ast.FunctionDef) -> Iterator[Place]:
    """Yield a callback that nothing calls, or that cannot be called as it will be."""
    if not method.name.startswith("on_"):
        return
    if method.name not in _HOOKS:
        near = difflib.get_close_matches(method.name, list(_HOOKS), n=1, cutoff=0.6)
        hint = f"; did you mean {near[0]}?" if near else ""
        yield method.lineno, "callback", f"nothing calls {method.name}(){hint}"
        return
    called, taken = _HOOKS[method.name], method.args
    by_place = [one.name for one in called if one.kind is not one.KEYWORD_ONLY]
    by_name = {one.name for one in called if one.kind is one.KEYWORD_ONLY}
    own = [*taken.posonlyargs, *taken.args]
    least = len(own) - len(taken.defaults)
    fits = least <= len(by_place) and (taken.vararg is not None or len(own) >= len(by_place))
    named = {one.arg for one in taken.kwonlyargs}
    if not fits or (taken.kwarg is None and not by_name <= named):
        shape = ", ".join([*by_place, *(f"*, {name}" for name in sorted(by_name))])
        yield method.lineno, "callback", f"it is called as {method.name}({shape})"


def _kept(methods: list[ast.FunctionDef], body: Body) -> Iterator[Place]:
    """Yield attributes that callbacks change and a restart forgets, each once."""
    told: set[str] = set()
    for method in methods:
        if method.name in _AT_START:
            continue
        for node in ast.walk(method):
            assigned = [_own(target) for target in _targets(node)]
            changed = _own(_changed(node))
            for name in filter(None, [*assigned, changed]):
                if name in body.states or name in told:
                    continue
                told.add(name)
                line = getattr(node, "lineno", method.lineno)
                if name == changed and name in body.mutables:
                    what = f"self.{name}, made in line {body.mutables[name]} for all instances"
                    yield line, "shared", f"{what}, is changed here"
                elif name in body.parameters:
                    yield line, "forgotten", f"the parameter self.{name} is changed here"
                else:
                    yield line, "forgotten", f"self.{name} is changed here and is no state"


def _own(node: ast.expr | None) -> str:
    """Return the name of an attribute of ``self``, empty where it is none."""
    is_own = (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )
    return node.attr if is_own and isinstance(node, ast.Attribute) else ""


def _inside(node: ast.Attribute) -> Iterator[Place]:
    is_private = node.attr.startswith("_") and not node.attr.endswith("__")
    own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
    is_super = isinstance(node.value, ast.Call) and ast.unparse(node.value) == "super()"
    if is_private and (node.attr == "_port" if own or is_super else True):
        yield node.lineno, "inside", ast.unparse(node)


def _frame(node: ast.Call, frames: dict[str, int]) -> Iterator[Place]:
    name = _own(node.func)
    given = {one.arg: one.value for one in node.keywords}
    asked: ast.expr | None = None
    if name in _FRAMED:
        asked = node.args[1] if len(node.args) > 1 else given.get("frame")
    elif name == "size" and "volatility" in given:
        asked = given.get("frame", ast.Constant("1d"))
    if isinstance(asked, ast.Constant) and asked.value not in frames:
        has = ", ".join(map(repr, frames)) or "none"
        yield node.lineno, "frame", f"self.{name}() of bars {asked.value!r}; declared: {has}"


def _windows(method: ast.FunctionDef) -> dict[str, str]:
    """Return the local names that are windows, with the frame of each."""
    return {
        target.id: frame
        for node in ast.walk(method)
        if isinstance(node, ast.Assign) and (frame := _window(node.value))
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _window(node: ast.expr) -> str:
    is_window = isinstance(node, ast.Call) and _own(node.func) == "window"
    if not is_window or not isinstance(node, ast.Call) or len(node.args) < 2:
        return ""
    frame = node.args[1]
    return str(frame.value) if isinstance(frame, ast.Constant) else ""


def _beyond(
    node: ast.Subscript, windows: dict[str, str], frames: dict[str, int]
) -> Iterator[Place]:
    """Yield an index that no bar of a window can have."""
    name = node.value.id if isinstance(node.value, ast.Name) else ""
    frame = windows.get(name) or _window(node.value)
    if not frame:
        return
    index, keep = _literal(node.slice), frames.get(frame)
    if isinstance(index, int) and keep is not None and not -keep <= index < keep:
        what = f"bar {index} of a window that keeps {keep}"
        yield node.lineno, "look-ahead", what
    text = ast.unparse(node.slice)
    if name and text.startswith(f"len({name})") and not text.startswith(f"len({name}) -"):
        yield node.lineno, "look-ahead", f"{name}[{text}]: beyond the newest bar"
