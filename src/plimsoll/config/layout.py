"""Where everything of a project stands on disk; needs no configuration, so `halt` works without."""

import re
from pathlib import Path
from typing import Final, NamedTuple

from plimsoll.config.errors import ConfigError

DEFAULT_ENVIRONMENT: Final = "development"
_ENVIRONMENT: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")


class Layout(NamedTuple):
    """The paths of one environment of a project directory."""

    root: Path
    environment: str = DEFAULT_ENVIRONMENT

    @classmethod
    def of(cls, root: Path, environment: str = "") -> "Layout":
        """Return the layout of an existing project.

        Raises:
            ConfigError: no plimsoll.toml there, or no name for an environment.
        """
        name = environment or DEFAULT_ENVIRONMENT
        if not _ENVIRONMENT.fullmatch(name):
            raise ConfigError(
                file="command line",
                key="--env",
                expected="an environment of lower-case letters, digits and dashes",
                found=repr(name),
            )
        layout = cls(root.absolute(), name)
        if not layout.main_file.is_file():
            raise ConfigError(
                file=layout.main_file,
                expected="a project directory holds plimsoll.toml, found none",
                hint="name the project with --project DIR; `plimsoll demo` makes one that runs",
            )
        return layout

    def must_exist(self) -> None:
        """Refuse an environment that has no file; the default one needs none.

        Raises:
            ConfigError: no ``config/<environment>.toml``.
        """
        if self.environment == DEFAULT_ENVIRONMENT or self.environment_file.is_file():
            return
        known = sorted(path.stem for path in self.environment_file.parent.glob("*.toml"))
        raise ConfigError(
            file=self.environment_file,
            expected=f"there is no such environment; found: {', '.join(known or ['none yet'])}",
            hint="the file holds what differs there; an empty one will do",
        )

    @property
    def main_file(self) -> Path:
        """Return the file every environment starts from."""
        return self.root / "plimsoll.toml"

    @property
    def environment_file(self) -> Path:
        """Return the file with what differs in this environment; it may not exist."""
        return self.root / "config" / f"{self.environment}.toml"

    @property
    def strategies_dir(self) -> Path:
        """Return the folder of the user's strategies."""
        return self.root / "strategies"

    @property
    def var_dir(self) -> Path:
        """Return the folder of everything this environment writes."""
        return self.root / "var" / self.environment

    @property
    def lease_dir(self) -> Path:
        """Return the folder of leases and epochs."""
        return self.var_dir / "lease"

    @property
    def run_dir(self) -> Path:
        """Return the folder of sockets and standing requests of what runs."""
        return self.var_dir / "run"

    def journal_dir(self, account: str) -> Path:
        """Return the folder of an account's logs."""
        return self.var_dir / "journal" / account
