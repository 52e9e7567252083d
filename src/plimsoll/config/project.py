"""One project in one environment: its paths, its checked settings and where each came from."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plimsoll.config.books import Books
from plimsoll.config.check import checked
from plimsoll.config.errors import ConfigError
from plimsoll.config.layers import Layer, origin, read_layers
from plimsoll.config.layout import Layout
from plimsoll.config.schema import LimitKeys, Settings


@dataclass(frozen=True, slots=True)
class Project:
    """What the commands need to know of a project.

    Attributes:
        layout: Where its files are.
        settings: Its checked configuration.
        layers: The sources it was merged from, weakest first.
    """

    layout: Layout
    settings: Settings
    layers: tuple[Layer, ...]

    @property
    def root(self) -> Path:
        """Return the project directory."""
        return self.layout.root

    @property
    def books(self) -> Books:
        """Return what its logs are read with."""
        return Books(self.layout, self.settings.account.name, self.settings.venue.environment)

    @property
    def journal_dir(self) -> Path:
        """Return the folder of this account's logs."""
        return self.layout.journal_dir(self.settings.account.name)

    @property
    def lease_dir(self) -> Path:
        """Return the folder of leases and epochs."""
        return self.layout.lease_dir

    @property
    def run_dir(self) -> Path:
        """Return the folder of sockets and standing requests."""
        return self.layout.run_dir

    def origin(self, *path: str | int) -> str:
        """Return where a value came from: a file, a variable, ``command line`` or ``default``."""
        found = self._find(path)
        return found[0] if found else "default"

    def written(self, *path: str | int, default: object) -> object:
        """Return a value as it was written, units and all; ``default`` where nobody wrote it."""
        found = self._find(path)
        return found[1] if found else default

    def _find(self, path: tuple[str | int, ...]) -> tuple[str, object] | None:
        for layer in reversed(self.layers):
            value: Any = layer.values
            try:
                for step in path:
                    value = value[step]
            except (KeyError, IndexError, TypeError):
                continue
            return layer.name, value
        return None

    def error(self, key: str, expected: str, *, found: str = "", hint: str = "") -> ConfigError:
        """Return an error about a key that was read without complaint."""
        file = origin(self.layers, tuple(key.split(".")))
        return ConfigError(file=file, key=key, expected=expected, found=found, hint=hint)

    def warnings(self) -> Iterator[str]:
        """Yield what is allowed and probably not meant."""
        limits = self.settings.limits
        missing = [name for name in LimitKeys.model_fields if not getattr(limits, name)]
        if missing:
            names = ", ".join(f"limits.{name}" for name in missing)
            yield f"{names}: not set, so zero: nothing that adds risk will be sent"
        if not self.settings.strategy:
            yield "no [[strategy]]: the engine will keep the books and trade nothing"
        for entry in self.settings.strategy:
            if not entry.capital:
                yield f"strategy.{entry.name}.capital: not set; targets by weight will be zero"


def load_project(
    root: Path,
    environment: str = "",
    *,
    options: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Project:
    """Return the project in a directory.

    Args:
        root: The directory that holds plimsoll.toml.
        environment: Chooses ``config/<environment>.toml`` and ``var/<environment>``.
        options: Values by dotted key that win over everything else.
        environ: Variables to read; those of this process where None.

    Raises:
        ConfigError: there is no project, or it cannot be used.
    """
    layout = Layout.of(root, environment)
    layout.must_exist()
    layers = read_layers(layout, os.environ if environ is None else environ, options or {})
    return Project(layout, checked(layers), tuple(layers))
