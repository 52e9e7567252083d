"""The links to the venue by number, and the pure parsers of the public ones."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from plimsoll.venues.bybit.public import PublicParser

PRIVATE: Final = 0
TRADE: Final = 1
LINKS: Final[Mapping[int, str]] = MappingProxyType(
    {PRIVATE: "private", TRADE: "trade", 2: "public.linear", 3: "public.spot"}
)
"""Names of the links by index; the index stands before each raw frame in the market log."""


def parsers_for(links: Mapping[int, str] = LINKS) -> dict[int, PublicParser]:
    """Return the parser of each public link, live and on replay alike."""
    public = "public."
    return {
        index: PublicParser(name.removeprefix(public))
        for index, name in links.items()
        if name.startswith(public)
    }
