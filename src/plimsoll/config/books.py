"""As much of a project as its logs can be read with; loads no pydantic, so `status` is quick.

It reads the same layers in the same order as `project.load_project` and checks only what it needs:
a mistake elsewhere in plimsoll.toml must not keep anyone from looking at what runs.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from plimsoll.config.errors import ConfigError
from plimsoll.config.layers import merge, origin, read_layers
from plimsoll.config.layout import Layout

DEFAULT_ACCOUNT: Final = "main"
ACCOUNT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ACCOUNT_WORDS: Final = "1 to 64 letters, digits, dots, dashes or underscores"
DEFAULT_VENUE: Final = "simulator"


class Books(NamedTuple):
    """Whose logs, and where.

    Attributes:
        layout: Where the project's files are.
        account: Name of the account.
        venue: The venue's environment, as written.
    """

    layout: Layout
    account: str
    venue: str

    @property
    def root(self) -> Path:
        """Return the project directory."""
        return self.layout.root

    @property
    def journal_dir(self) -> Path:
        """Return the folder of the account's logs."""
        return self.layout.journal_dir(self.account)


def load_books(
    root: Path, environment: str = "", *, environ: Mapping[str, str] | None = None
) -> Books:
    """Return where the logs of a project's account are.

    Raises:
        ConfigError: there is no project, a file is no TOML, or the account has no usable name.
    """
    layout = Layout.of(root, environment)
    layout.must_exist()
    layers = read_layers(layout, os.environ if environ is None else environ, {})
    values = merge(layers)

    def text(section: str, key: str, default: str) -> str:
        table = values.get(section, {})
        found = table.get(key, default) if isinstance(table, dict) else None
        if isinstance(found, str):
            return found
        raise ConfigError(
            file=origin(layers, (section, key)),
            key=f"{section}.{key}",
            expected="expected text in quotes",
            found=repr(found),
        )

    account = text("account", "name", DEFAULT_ACCOUNT)
    if not ACCOUNT_NAME.fullmatch(account):
        raise ConfigError(
            file=origin(layers, ("account", "name")),
            key="account.name",
            expected=f"expected {ACCOUNT_WORDS}",
            found=f'"{account}"',
        )
    return Books(layout, account, text("venue", "environment", DEFAULT_VENUE))
