"""Typed settings of a project, in layers, with secrets by reference.

In: plimsoll.toml, config/<environment>.toml, PLIMSOLL_* variables, options. Out: a `Project` and
the core's settings, or a `ConfigError`. Every room above may import it; it imports only core.

`project.load_project`, `translate.core_settings` and `secret.read_key` are imported from their
modules: they load pydantic, and what stops trading or only looks at it must not wait for that.
"""

from plimsoll.config.errors import ConfigError, CredentialError
from plimsoll.config.layout import Layout

__all__ = ["ConfigError", "CredentialError", "Layout"]
