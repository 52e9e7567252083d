"""Recordings made up: a book that wanders, prints that take from it, as lines of each format."""

import gzip
import json
import random
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import zstandard

BEGIN_MS = 1_750_000_020_000
TICK = 0.1
NS = 1_000_000


def frame(
    kind: str,
    bids: Sequence[tuple[float, float]],
    asks: Sequence[tuple[float, float]],
    u: int,
    ms: int,
    symbol: str = "BTCUSDT",
    depth: int = 50,
    **more: Any,
) -> dict[str, Any]:
    """Return a frame of a book as the venue sends it."""
    rows = [[[f"{price:.1f}", f"{qty:g}"] for price, qty in side] for side in (bids, asks)]
    return {
        "topic": f"orderbook.{depth}.{symbol}",
        "type": kind,
        "ts": ms,
        "data": {"s": symbol, "b": rows[0], "a": rows[1], "u": u, "seq": u * 10},
        "cts": ms - 2,
    } | more


def prints(price: float, qty: float, side: str, ms: int, symbol: str = "BTCUSDT") -> dict[str, Any]:
    """Return a frame of one print."""
    row = {"T": ms, "s": symbol, "S": side, "v": f"{qty:g}", "p": f"{price:.1f}", "i": "x"}
    return {
        "topic": f"publicTrade.{symbol}",
        "type": "snapshot",
        "ts": ms,
        "data": [row | {"BT": False}],
    }


def first_side(best: float, sign: int, levels: int = 20) -> list[tuple[float, float]]:
    """Return levels from a best price on."""
    return [(round(best - sign * n * TICK, 1), 2.0 + n) for n in range(levels)]


def wandering(
    count: int,
    *,
    seed: int = 1,
    price: float = 50_000.0,
    step_ms: int = 50,
    symbol: str = "BTCUSDT",
    jump: int = 3,
) -> Iterator[dict[str, Any]]:
    """Yield a snapshot and then deltas, each a step later, with prints between them.

    The best prices move by up to ``jump`` ticks, and now and then a print takes from the best level
    or reaches through it.
    """
    drawn, u, ms = random.Random(seed), 1, BEGIN_MS
    bid, ask = price, round(price + TICK, 1)
    held = {"b": dict(first_side(bid, 1)), "a": dict(first_side(ask, -1))}
    yield frame("snapshot", list(held["b"].items()), list(held["a"].items()), u, ms, symbol)
    for _ in range(count):
        ms += step_ms
        move = drawn.randint(-jump, jump)
        if move:
            side, through = ("Sell", bid + move * TICK) if move < 0 else ("Buy", ask + move * TICK)
            yield prints(round(through, 1), 1.0 + drawn.random(), side, ms - 10, symbol)
        elif drawn.random() < 0.5:
            yield prints(bid, 0.5, "Sell", ms - 10, symbol)
        bid, ask = round(bid + move * TICK, 1), round(ask + move * TICK, 1)
        wanted = {"b": dict(first_side(bid, 1)), "a": dict(first_side(ask, -1))}
        wanted["b"][bid] = round(1.0 + drawn.random() * 3, 3)
        changes: dict[str, list[tuple[float, float]]] = {}
        for key in ("b", "a"):
            new = wanted[key]
            gone = [(at, 0.0) for at in held[key] if at not in new]
            changes[key] = gone + [row for row in new.items() if held[key].get(row[0]) != row[1]]
        held, u = wanted, u + 1
        yield frame("delta", changes["b"], changes["a"], u, ms, symbol)


def archive(frames: Sequence[dict[str, Any]]) -> list[str]:
    """Return lines of frames alone."""
    return [json.dumps(one, separators=(",", ":")) for one in frames]


def captured(frames: Sequence[dict[str, Any]], late_ms: int = 5) -> list[str]:
    """Return lines with the time of arrival in front."""
    return [
        f"{(one['ts'] + late_ms) * NS} {line}"
        for one, line in zip(frames, archive(frames), strict=True)
    ]


def write(path: Path, lines: Sequence[str] | str) -> Path:
    """Write lines, packed as the name says."""
    text = lines if isinstance(lines, str) else "\n".join(lines) + "\n"
    raw = text.encode()
    if path.suffix == ".gz":
        raw = gzip.compress(raw)
    elif path.suffix == ".zst":
        raw = zstandard.compress(raw)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(path.stem, raw)
    else:
        path.write_bytes(raw)
    return path


def other_venue(frames: Sequence[dict[str, Any]], symbol: str = "BTCUSDT") -> list[str]:
    """Return the same market as the other venue's streams say it: update ids in steps of ten."""
    lines, before = [], 0
    for one in frames:
        ms, data = one["ts"], one["data"]
        if one["topic"].startswith("publicTrade"):
            row = data[0]
            said = {"e": "trade", "E": ms, "T": ms, "s": symbol, "p": row["p"], "q": row["v"]}
            said |= {"X": "MARKET", "m": row["S"] == "Sell"}
        elif one["type"] == "snapshot":
            before = data["u"] * 10
            whole = {"lastUpdateId": before, "E": ms, "bids": data["b"], "asks": data["a"]}
            lines.append(f"{(ms + 5) * NS} {json.dumps(whole)}")
            continue
        else:
            u = data["u"] * 10
            said = {"e": "depthUpdate", "E": ms, "T": ms, "s": symbol, "U": before + 1, "u": u}
            said |= {"pu": before, "b": data["b"], "a": data["a"]}
            before = u
        message = {"stream": f"{symbol.lower()}@x", "data": said}
        lines.append(f"{(ms + 5) * NS} {json.dumps(message)}")
    return lines
