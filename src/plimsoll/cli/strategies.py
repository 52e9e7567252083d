"""Loading the strategies people wrote: the right file, the right class, the right parameters."""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from plimsoll.config.errors import ConfigError
from plimsoll.config.sources import digest_of, is_file, locate, split
from plimsoll.core.feed import span_ns
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy import Strategy, parameters_of
from plimsoll.core.strategy.parameters import read_values

Origin = Callable[[str, str], object]
"""Where a parameter's value was written, by instance and parameter."""


def load(
    settings: StrategySettings, root: Path, origin: Origin | None = None, path: Path | None = None
) -> Strategy:
    """Return an instance of a strategy with its parameters set.

    Args:
        settings: Of the instance; its ``source_hash``, where there is one, must be the file's.
        root: The project directory; a file outside of it is refused.
        origin: Where values were written, for the words; plimsoll.toml where None.
        path: The file, where it is known already and may lie anywhere.

    Raises:
        ConfigError: no such file or class, no strategy, a parameter that is unknown or of another
            type, or code that is not the one the session started with.
    """
    key = f"strategy.{settings.name}.class"
    path = path or locate(settings.source, root, key=key)
    found = digest_of(path)
    if settings.source_hash not in ("", found):
        raise ConfigError(
            file=path,
            key=key,
            expected=f"the file of SHA-256 {settings.source_hash[:12]}, as when the session began",
            found=f"{found[:12]}",
            hint="put the file back as it was, or start a new session with the new one",
        )
    kind = class_of(settings.source, path, key)
    _check_needs(kind, path, settings.source)
    strategy = kind()
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


def class_of(source: str, path: Path, key: str) -> type[Strategy]:
    """Return the class a source names; ``key`` is where the configuration names it.

    Raises:
        ConfigError: the file cannot be imported, or there is no such strategy in it.
    """
    place, name = split(source)
    module = _run(path, key) if is_file(source) else _import(place, path, key)
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


def _run(path: Path, key: str) -> ModuleType:
    """Run a file as a module of its own; files beside it may be imported from it."""
    name = f"plimsoll_strategy_{digest_of(path)[:16]}"
    if name in sys.modules:
        sys.modules[name].__file__ = str(path)  # the same text, perhaps in another place
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(file=path, key=key, expected="cannot be read as Python")
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the user's own code: anything may come out of it
        del sys.modules[name]
        raise _broken(path, key, error) from error
    return module


def _import(place: str, path: Path, key: str) -> ModuleType:
    try:
        return importlib.import_module(place)
    except Exception as error:  # likewise
        raise _broken(path, key, error) from error


def _broken(path: Path, key: str, error: Exception) -> ConfigError:
    place, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            place = f" (line {trace.tb_lineno})"
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        place = f" (line {error.lineno})"
    words = f"{type(error).__name__}: {error}"
    return ConfigError(file=path, key=key, expected=f"cannot be imported{place}: {words}")


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
