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
    key = _resolve(project, f"{section}.key", variables)
    return key, SecretStr(_resolve(project, f"{section}.secret", variables))


def read_passphrase(project: Project, environ: Mapping[str, str] | None = None) -> SecretStr:
    """Return the hash of the operator's passphrase, empty where none is configured.

    Raises:
        CredentialError: the file is missing, empty or readable by others; the variable is not set.
    """
    variables = os.environ if environ is None else environ
    return SecretStr(_resolve(project, "operator.passphrase", variables))


def _resolve(project: Project, name: str, environ: Mapping[str, str]) -> str:
    section, _, field = name.partition(".")
    reference: str = getattr(getattr(project.settings, section), field)
    if not reference:
        return ""
    scheme, _, target = reference.partition(":")
    is_variable = scheme == "env"
    text = environ.get(target, "") if is_variable else _read(project, name, target)
    if not text.strip():
        what = f"variable {target} is not set" if is_variable else f"{target} is empty"
        raise _refused(project, name, what, "")
    return text.strip()


def _read(project: Project, name: str, target: str) -> str:
    path = project.root / Path(target).expanduser()
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            what = f"{path} may be read by others (mode {mode:o}), expected mode 600"
            raise _refused(project, name, what, f"chmod 600 {path}")
        return path.read_text()
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror}"
        raise _refused(project, name, what, f"put it there, then: chmod 600 {path}") from None


def _refused(project: Project, name: str, what: str, hint: str) -> CredentialError:
    file = project.origin(*name.split("."))
    return CredentialError(file=file, key=name, expected=what, hint=hint)
