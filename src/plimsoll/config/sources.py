"""Where the code of a strategy stands, and its digest."""

import hashlib
import importlib.util
from pathlib import Path

from plimsoll.config.errors import ConfigError


def split(source: str) -> tuple[str, str]:
    """Return file or module, and class, of ``"strategies/ema.py:EmaCross"``."""
    place, _, name = source.rpartition(":")
    return place, name


def is_file(source: str) -> bool:
    """Return whether the source names a file of the project and not an installed module."""
    return split(source)[0].endswith(".py")


def locate(source: str, root: Path, *, key: str) -> Path:
    """Return the file of a strategy's class: inside the project, or of an installed module.

    Raises:
        ConfigError: there is no such file, or it lies outside the project directory.
    """
    place, _ = split(source)
    return _inside(place, root, key) if is_file(source) else _installed(place, key)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _inside(place: str, root: Path, key: str) -> Path:
    path = (root / place).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ConfigError(
            file=path,
            key=key,
            expected=f"a strategy's file lies inside the project {root}",
            hint="copy it to strategies/, or install it as a package: package.module:Class",
        )
    if not path.is_file():
        raise ConfigError(file=path, key=key, expected="there is no such file")
    return path


def _installed(place: str, key: str) -> Path:
    try:
        spec = importlib.util.find_spec(place)
    except (ImportError, ValueError) as error:
        raise ConfigError(file=place, key=key, expected=f"cannot be imported: {error}") from error
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise ConfigError(
            file=place,
            key=key,
            expected="no installed module has this name",
            hint="a file of the project is written strategies/FILE.py:Class",
        )
    return Path(spec.origin)
