"""Copies of the strategies' code as it ran, beside the journal, named by their SHA-256.

A replay needs the code of the session, and a file changes. A copy is written once, whole or not at
all, and never changed; what it holds is checked by its name when it is read.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

FOLDER: Final = "code"
"""Inside the account's journal."""


class CodeStore:
    """The copies of one account."""

    def __init__(self, journal_dir: Path) -> None:
        """Use the folder in a journal; it is made when the first copy is kept."""
        self.folder = journal_dir / FOLDER

    def keep(self, text: bytes) -> str:
        """Keep a copy and return its SHA-256.

        Raises:
            OSError: it cannot be written.
        """
        name = hashlib.sha256(text).hexdigest()
        path = self._path(name)
        if self.find(name) == text:
            return name
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(fd)
        temporary.rename(path)
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return name

    def find(self, name: str) -> bytes | None:
        """Return the code of a SHA-256, ``None`` where there is no whole copy."""
        try:
            text = self._path(name).read_bytes()
        except OSError:
            return None
        return text if hashlib.sha256(text).hexdigest() == name else None

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.py"
