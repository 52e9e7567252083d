"""Loading the strategies people wrote: the right file, the right class, the right parameters."""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from importlib.abc import SourceLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from plimsoll.config.code import CodeStore
from plimsoll.config.errors import ConfigError
from plimsoll.config.sources import is_file, locate, split
from plimsoll.core.feed import span_ns
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy import Strategy, parameters_of
from plimsoll.core.strategy.parameters import read_values
from plimsoll.core.strategy.signals import fault_of

Origin = Callable[[str, str], object]
"""Where a parameter's value was written, by instance and parameter."""


def load(
    settings: StrategySettings,
    root: Path,
    origin: Origin | None = None,
    path: Path | None = None,
    kept: CodeStore | None = None,
) -> Strategy:
    """Return an instance of a strategy with its parameters set.

    Args:
        settings: Of the instance; its ``source_hash``, where there is one, must be the file's.
        root: The project directory; a file outside of it is refused.
        origin: Where values were written, for the words; plimsoll.toml where None.
        path: The file, where it is known already and may lie anywhere.
        kept: Copies of code that ran: asked where the file has changed since.

    Raises:
        ConfigError: no such file or class, no strategy, a parameter that is unknown or of another
            type, or code that is not the one the session started with.
    """
    key = f"strategy.{settings.name}.class"
    path = path or locate(settings.source, root, key=key)
    text = path.read_bytes()
    found = hashlib.sha256(text).hexdigest()
    wanted = settings.source_hash or found
    copy = kept.find(wanted) if kept is not None and is_file(settings.source) else None
    if found != wanted and copy is None:
        raise ConfigError(
            file=path,
            key=key,
            expected=f"the file of SHA-256 {settings.source_hash[:12]}, as when the session began",
            found=f"{found[:12]}",
            hint="put the file back as it was, or start a new session with the new one",
        )
    kind = class_of(settings.source, path, key, text if found == wanted else copy)
    _check_needs(kind, path, settings.source)
    try:
        strategy = kind()
    except Exception as error:  # likewise the user's own
        raise _broken(path, key, error, "cannot be made") from error
    told = origin or (lambda _instance, _name: root / "plimsoll.toml")
    for name, value in _parameters(settings, kind, path, told).items():
        setattr(strategy, name, value)
    return strategy


def _check_needs(kind: type[Strategy], path: Path, source: str) -> None:
    """Refuse bars that nobody can make: an engine would end over them."""
    try:
        for frame, keep in kind.bars.items():
            span_ns(frame)
            if type(keep) is not int or keep < 1:
                raise ValueError(f"bars {frame!r} keep at least 1, found {keep!r}")
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(
            file=path,
            key=source,
            expected=str(error),
            hint='bars = {"1m": 200}: a frame, and how many closed bars are kept',
        ) from error
    fault = fault_of(kind.signal) if kind.signal is not None else ""
    if not fault and kind.signal is None and kind.on_signal is not Strategy.on_signal:
        fault = "on_signal is there, and no `signal` says what it hears"
    if fault:
        hint = "class Alert(Signal): side: str   and   signal = Alert in the strategy"
        raise ConfigError(file=path, key=source, expected=fault, hint=hint)


def class_of(source: str, path: Path, key: str, text: bytes | None = None) -> type[Strategy]:
    """Return the class a source names; ``key`` is where the configuration names it.

    ``text``: the code, where it may be another one than the file holds now.

    Raises:
        ConfigError: the file cannot be imported, or there is no such strategy in it.
    """
    place, name = split(source)
    module = _run(path, key, text) if is_file(source) else _import(place, path, key)
    found = getattr(module, name, None)
    if found is None:
        hint = f"strategies there: {', '.join(_classes(module)) or 'none'}"
        raise ConfigError(file=path, key=key, expected=f"there is no class {name}", hint=hint)
    if not _is_strategy(found):
        raise ConfigError(
            file=path,
            key=key,
            expected=f"{name} is no strategy",
            hint=f"from plimsoll.core.strategy import Strategy; class {name}(Strategy): ...",
        )
    kind: type[Strategy] = found
    return kind


def classes_in(path: Path, key: str) -> dict[str, type[Strategy]]:
    """Return the strategies a file of the project makes, by name.

    Raises:
        ConfigError: it cannot be imported.
    """
    return _classes(_run(path, key))


def _classes(module: ModuleType) -> dict[str, type[Strategy]]:
    return {
        name: value
        for name, value in vars(module).items()
        if _is_strategy(value) and value.__module__ == module.__name__
    }


def _is_strategy(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Strategy) and value is not Strategy


class _Text(SourceLoader):
    """Runs the very bytes whose digest was taken: the file may change between two readings."""

    def __init__(self, path: Path, text: bytes) -> None:
        self._path, self._text = str(path), text

    def get_filename(self, fullname: str) -> str:
        return self._path

    def get_data(self, path: str) -> bytes:
        if path != self._path:
            raise OSError  # a compiled copy: there is none
        return self._text


def _run(path: Path, key: str, text: bytes | None = None) -> ModuleType:
    """Run a file as a module of its own; files beside it may be imported from it."""
    text = path.read_bytes() if text is None else text
    name = f"plimsoll_strategy_{hashlib.sha256(text).hexdigest()[:16]}"
    if name in sys.modules:
        sys.modules[name].__file__ = str(path)  # the same text, perhaps in another place
        return sys.modules[name]
    spec = importlib.util.spec_from_loader(name, _Text(path, text))
    if spec is None or spec.loader is None:
        raise ConfigError(file=path, key=key, expected="cannot be read as Python")
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # the user's own code: anything may come out of it
        sys.modules.pop(name, None)
        if isinstance(error, Exception | SystemExit):
            raise _broken(path, key, error) from error
        raise
    return module


def _import(place: str, path: Path, key: str) -> ModuleType:
    try:
        return importlib.import_module(place)
    except Exception as error:  # likewise
        raise _broken(path, key, error) from error


def _broken(
    path: Path, key: str, error: BaseException, what: str = "cannot be imported"
) -> ConfigError:
    place, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            place = f" (line {trace.tb_lineno})"
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        place = f" (line {error.lineno})"
    words = f"{type(error).__name__}: {error}"
    return ConfigError(file=path, key=key, expected=f"{what}{place}: {words}", hint=_missing(error))


def _missing(error: BaseException) -> str:
    """Return where what an import did not find is to be had."""
    name = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if name == "plimsoll":
        return "strategies begin with: from plimsoll.core.strategy import Strategy, param, state"
    if isinstance(error, ModuleNotFoundError) and name:
        return f"put {name}.py beside the file, or install {name} where plimsoll is installed"
    return ""


def _parameters(
    settings: StrategySettings, kind: type[Strategy], path: Path, origin: Origin
) -> dict[str, Any]:
    try:
        declared = parameters_of(kind)
    except TypeError as error:
        raise ConfigError(file=path, key=settings.source, expected=str(error)) from error
    values, wrong = read_values(kind.__name__, declared, settings.params)
    errors = [
        ConfigError(
            file=origin(settings.name, one.name),
            key=f"strategy.{settings.name}.params.{one.name}",
            expected=one.expected,
            found=one.found,
            hint=one.hint,
        )
        for one in wrong
    ]
    if errors:
        first, *others = errors
        first.others = tuple(others)
        raise first
    return values
