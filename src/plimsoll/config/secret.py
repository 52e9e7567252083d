"""Keys and secrets by reference: read once, shown never."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from plimsoll.config.errors import CredentialError
from plimsoll.config.project import Project


def read_key(
    project: Project, environ: Mapping[str, str] | None = None, section: str = "account"
) -> tuple[str, SecretStr]:
    """Return an API key and its secret; two empty ones where none are configured.

    ``section`` is ``account`` or ``watchdog``.

    Raises:
        CredentialError: a file is missing, empty or readable by others; a variable is not set.
    """
    variables = os.environ if environ is None else environ
    key = _resolve(project, section, "key", variables)
    return key, SecretStr(_resolve(project, section, "secret", variables))


def _resolve(project: Project, section: str, name: str, environ: Mapping[str, str]) -> str:
    reference: str = getattr(getattr(project.settings, section), name)
    if not reference:
        return ""
    scheme, _, target = reference.partition(":")
    is_variable = scheme == "env"
    text = environ.get(target, "") if is_variable else _read(project, section, name, target)
    if not text.strip():
        what = f"variable {target} is not set" if is_variable else f"{target} is empty"
        raise _refused(project, section, name, what, "")
    return text.strip()


def _read(project: Project, section: str, name: str, target: str) -> str:
    path = project.root / Path(target).expanduser()
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            what = f"{path} may be read by others (mode {mode:o}), expected mode 600"
            raise _refused(project, section, name, what, f"chmod 600 {path}")
        return path.read_text()
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror}"
        hint = f"put the {name} there, then: chmod 600 {path}"
        raise _refused(project, section, name, what, hint) from None


def _refused(project: Project, section: str, name: str, what: str, hint: str) -> CredentialError:
    file = project.origin(section, name)
    return CredentialError(file=file, key=f"{section}.{name}", expected=what, hint=hint)
