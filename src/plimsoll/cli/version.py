"""``version``."""

import platform

from plimsoll import __version__
from plimsoll.cli.exits import Exit
from plimsoll.cli.output import print_json


def version(*, json: bool) -> Exit:
    """Print the version of the program and of Python."""
    if json:
        print_json({"python": platform.python_version()})
    else:
        print(f"plimsoll {__version__}, Python {platform.python_version()}")
    return Exit.DONE
