"""What a request says: the JSON object in it, and the orders it names."""

from typing import Any

import msgspec


def object_of(text: bytes) -> dict[str, Any]:
    """Return a JSON object, {} where the text is none."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def ids_of(args: object) -> dict[str, str]:
    """Return the order ids the first of an operation's arguments names."""
    first = args[0] if isinstance(args, list) and args else {}
    if not isinstance(first, dict):
        return {}
    return {key: str(first[key])[:64] for key in ("orderId", "orderLinkId") if first.get(key)}
