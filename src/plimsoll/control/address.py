"""Unix socket addresses for paths of any length.

The kernel's address has room for 107 bytes and project folders are often deeper, so the folder is
opened and the socket named through its descriptor.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """Yield a short address for ``path``, valid inside the block.

    Raises:
        OSError: the folder does not exist or may not be opened.
    """
    fd = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{path.name}"
    finally:
        os.close(fd)
