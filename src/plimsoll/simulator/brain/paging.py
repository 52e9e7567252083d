"""Pages, time windows and filters of the listing endpoints, newest first."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote, unquote

from plimsoll.simulator.brain.errors import VenueRefusal

Item = TypeVar("Item")
DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * DAY_MS
_DIGITS_MOST: Final = 20


def page_of(
    items: Iterable[tuple[int, Item]], params: Mapping[str, str], *, most: int, usual: int
) -> tuple[list[Item], str]:
    """Return one page and the cursor of the next one, "" on the last.

    Args:
        items: (serial, item), newest first; serials fall.
        params: ``limit`` and ``cursor`` as asked.
        most: Largest page.
        usual: Page size where no limit is asked.

    Raises:
        VenueRefusal: 10001 for a bad limit or cursor.
    """
    limit = whole(params, "limit", usual)
    if limit < 1:
        raise VenueRefusal(10001, f"params error: limit {limit} must be positive")
    limit = min(limit, most)
    below = _cursor(params.get("cursor", ""))
    page: list[Item] = []
    last = 0
    for serial, item in items:
        if below and serial >= below:
            continue
        if len(page) == limit:
            return page, quote(f"page={last}", safe="")
        page.append(item)
        last = serial
    return page, ""


def window_of(
    params: Mapping[str, str], now_ms: int, *, usual_ms: int = WEEK_MS
) -> tuple[int, int]:
    """Return (first, last) milliseconds asked for; one bound alone means ``usual_ms`` from it.

    Raises:
        VenueRefusal: 10001 for a span above seven days or a bad number.
    """
    start, end = whole(params, "startTime", 0), whole(params, "endTime", 0)
    if not start and not end:
        return now_ms - usual_ms, now_ms
    start, end = start or end - usual_ms, end or start + usual_ms
    if end < start or end - start > WEEK_MS:
        raise VenueRefusal(10001, "params error: endTime - startTime must be within 7 days")
    return start, end


def whole(params: Mapping[str, str], name: str, usual: int) -> int:
    """Return a whole-number parameter, ``usual`` where it is absent.

    Raises:
        VenueRefusal: 10001 where it is no number.
    """
    text = params.get(name) or str(usual)
    if not _is_whole(text):
        raise VenueRefusal(10001, f"params error: {name} invalid {text[:40]!r}")
    return int(text)


def matches(params: Mapping[str, Any], row: Mapping[str, Any], names: Iterable[str]) -> bool:
    """Return whether a row has every asked value of the named fields."""
    return all(not params.get(name) or row[name] == params[name] for name in names)


def _cursor(text: str) -> int:
    """Accept the cursor as we gave it or decoded once more by the client."""
    if not text:
        return 0
    name, _, value = unquote(text).partition("=")
    if name != "page" or not _is_whole(value):
        raise VenueRefusal(10001, f"params error: cursor invalid {text[:40]!r}")
    return int(value)


def _is_whole(text: str) -> bool:
    """Return whether it is a number in digits, few enough for one of ours."""
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS_MOST
