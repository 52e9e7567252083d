"""Positions and their exits as the exchange's record tells of them."""

from typing import Any


def exits(record: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the kinds of exit that wait at the end, by symbol."""
    last: dict[str, dict[str, Any]] = {}
    for line in record:
        if line["kind"] == "order" and line.get("stopOrderType") in ("StopLoss", "TakeProfit"):
            last[line["orderId"]] = line
    found: dict[str, list[str]] = {}
    for line in last.values():
        if line["orderStatus"] == "Untriggered":
            found.setdefault(line["symbol"], []).append(line["stopOrderType"])
    return {symbol: sorted(kinds) for symbol, kinds in found.items()}


def naked(record: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the statements of a position without a stop, and of a stop without a position."""
    stops: set[str] = set()
    found = []
    for line in record:
        if line["kind"] == "order" and line.get("stopOrderType") == "StopLoss":
            is_live = line["orderStatus"] in ("Untriggered", "Triggered", "New", "PartiallyFilled")
            (stops.add if is_live else stops.discard)(line["orderId"])
        elif line["kind"] == "position" and (float(line["size"] or 0) > 0) != bool(stops):
            found.append(line)
    return found


def size(record: list[dict[str, Any]]) -> float:
    sizes = [line["size"] for line in record if line["kind"] == "position"]
    return float(sizes[-1] or 0) if sizes else 0.0
