"""The options of ``backtest`` and ``sweep`` that say what is run, and how their words are read."""

from pathlib import Path
from typing import Final

import msgspec

from plimsoll.backtest.sweep import Params
from plimsoll.cli.arguments import usage
from plimsoll.cli.data.common import time_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.hanging import LIMIT_S
from plimsoll.core.feed import span_ns

_EVER_MS: Final = 1 << 62


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; plain, to be sent around."""

    project: str
    env: str
    strategy: str
    instruments: str = ""
    data: str = ""
    bars: str = "1m"
    frames: str = ""
    since: str = ""
    until: str = ""
    capital: float = 0.0
    params: Params = {}
    spread_bps: float = 1.0
    delay_ms: int = 100
    latency_ms: int = 20
    seed: int = 1
    intrabar: str = ""
    callback_limit_s: float = LIMIT_S
    session: tuple[int, int] = (0, 0)
    """Of a journal: its epoch and its first seq; without it the newest one."""


def params_of(text: str) -> Params:
    """Return ``fast=10,slow=30`` as parameters, typed as TOML would.

    Raises:
        Failure: a pair is none.
    """
    return {name: value_of(value) for name, value in pairs_of(text)}


def pairs_of(text: str, example: str = "--params fast=10,slow=30") -> list[tuple[str, str]]:
    """Return the names and the texts of ``fast=10,slow=30``.

    Raises:
        Failure: a pair is none.
    """
    found: list[tuple[str, str]] = []
    for pair in text.split(",") if text else ():
        name, mark, value = pair.partition("=")
        if not mark or not name.strip():
            raise usage(f"expected NAME=VALUE, found {pair!r}", example)
        if any(name.strip() == known for known, _ in found):
            raise usage(f"{name.strip()} stands there twice", example)
        found.append((name.strip(), value.strip()))
    return found


def value_of(text: str) -> str | int | float | bool:
    """Return a value as TOML would type it; what is no number and no truth is text."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def span_of(asked: Asked) -> tuple[int, int]:
    """Return the first moment and the first one left out, Unix ms.

    Raises:
        Failure: one is no time, or they leave nothing.
    """
    first = time_of(asked.since, "--from") if asked.since else 0
    end = time_of(asked.until, "--until") if asked.until else _EVER_MS
    if end <= first:
        raise usage(
            f"--until {asked.until} leaves nothing of what comes from {asked.since or 1970} on",
            "--from 2024-01-01 --until 2024-02-01",
        )
    return first, end


def named_once(data: str) -> None:
    """Refuse a file that is named twice: its prints would count twice, or be two instruments'.

    Raises:
        Failure: one is.
    """
    paths = [Path(one.strip().rpartition("=")[2]).resolve() for one in data.split(",") if one]
    for place, path in enumerate(paths):
        if path in paths[:place]:
            raise usage(f"--data names {path.name} twice", "name each file once")


def files_of(data: str, names: tuple[str, ...], option: str = "--data") -> list[str]:
    """Return the files of instruments, none where an option names none.

    Raises:
        Failure: it does not name one for each.
    """
    files = [one.strip() for one in data.split(",") if one.strip()]
    if files and len(files) != len(names):
        raise usage(
            f"{option} names {len(files)} files for {len(names)} instruments",
            f"one for each of {', '.join(names)}, in this order",
        )
    return files


def finer_of(asked: Asked, names: tuple[str, ...]) -> tuple[str, list[str]]:
    """Return the frame of the finer bars and their files: ``1m``, or ``1m=FILE,FILE``.

    Raises:
        Failure: it is no frame, or none that the bars are made of.
    """
    if not asked.intrabar:
        return "", []
    frame, _, files = asked.intrabar.partition("=")
    example = f"--intrabar 1m beside --bars {asked.bars if asked.bars != '1m' else '1h'}"
    try:
        finer, whole = span_ns(frame), span_ns(asked.bars)
    except ValueError as error:
        raise usage(f"--intrabar: {error}", example) from None
    if finer >= whole or whole % finer:
        raise usage(f"--intrabar: bars of {asked.bars} are not made of bars of {frame}", example)
    return frame, files_of(files, names, "--intrabar")


def frames_fit(declared: dict[str, int], frames: dict[str, str], bars: str) -> None:
    """Refuse a strategy that wants finer bars than there are, and frames it does not declare.

    Raises:
        Failure: it does.
    """
    try:
        base = span_ns(bars)
    except ValueError as error:
        raise usage(f"--bars: {error}", "--bars 1m") from None
    strange = [frame for frame in frames if frame not in declared]
    if strange:
        raise usage(
            f"--frames: the strategy declares no {strange[0]!r}",
            f"it declares {', '.join(declared) or 'none'}",
        )
    for frame in declared:
        wanted = frames.get(frame, frame)
        try:
            is_finer = span_ns(wanted) % base
        except ValueError as error:
            raise usage(f"--frames: {error}", "--frames 1s=1m") from None
        if is_finer:
            raise Failure(
                Exit.CONFIGURATION,
                "frame",
                f"the strategy wants bars of {wanted}, the data has bars of {bars}",
                f"--frames {frame}={bars} gives it those instead, or give finer data",
            )
