"""What all generated pages have: where they come from, words for each name, lines to text."""

from collections.abc import Mapping, Sequence


class Undocumented(Exception):
    """The code has a name that no page explains."""


def made_from(*sources: str) -> list[str]:
    """Return the line that says what a page is made from."""
    names = " and ".join(f"[`{name}`](../../{name})" for name in sources)
    return [f"Made by `docs/generate.py` from {names}; do not edit.", ""]


def words_of(table: Mapping[str, str], name: str, what: str) -> str:
    """Return the words of a name; a name without any stops the generator."""
    found = table.get(name, "")
    if not found:
        raise Undocumented(f"{what} {name!r} has no words: give it some in docs/generating")
    return found


def row_of(table: Mapping[str, tuple[str, str, str]], name: str, what: str) -> tuple[str, str, str]:
    """Return the cells of a name; a name without any stops the generator."""
    if name not in table:
        raise Undocumented(f"{what} {name!r} has no words: give it some in docs/generating")
    return table[name]


def one_line(text: str) -> str:
    """Return text as a cell of a table."""
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")


def page(lines: Sequence[str]) -> str:
    """Return lines as the text of a page."""
    return "\n".join(lines).rstrip() + "\n"
