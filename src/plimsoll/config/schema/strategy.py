"""``[[strategy]]``: the instances of strategies."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from plimsoll.config.schema.kinds import Cash, Instrument, Section
from plimsoll.core.model import OUTSIDE, Mode

_RESERVED: Final = OUTSIDE | {"account"}
_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,31}")
_SOURCE: Final = re.compile(r"([^:]+\.py|[A-Za-z_][\w.]*):[A-Za-z_]\w*")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text) or text in _RESERVED:
        raise ValueError("1 to 32 letters, digits, dashes or underscores, a letter first")
    return text


def _source(text: str) -> str:
    if not _SOURCE.fullmatch(text):
        raise ValueError('a class such as "strategies/ema.py:EmaCross" or "package.module:Class"')
    return text


class StrategyEntry(Section):
    """``[[strategy]]``: one instance."""

    name: Annotated[str, AfterValidator(_name)] = Field(description="Name of the instance.")
    class_: Annotated[str, AfterValidator(_source)] = Field(
        alias="class",
        description='`"strategies/FILE.py:Class"` or `"package.module:Class"`.',
    )
    instruments: tuple[Instrument, ...] = Field(
        default=(),
        description="What it trades; empty: what the class names.",
        examples=[["linear:BTCUSDT"]],
    )
    mode: Mode = Field(
        default=Mode.PAPER,
        description="`paper` (matched inside the engine), `live` (sent to the venue), or `hybrid`: "
        "two instances, NAME live with `live_capital` and NAME.paper on paper with `capital`. "
        "`plimsoll mode set` changes it in a running engine, and what was set there holds until "
        "this key is edited to something lower.",
    )
    capital: Cash = Field(
        default=0, description="What the instance may think it has.", examples=["10_000 USDT"]
    )
    live_capital: Cash = Field(
        default=0,
        description="What the live instance of a hybrid may think it has, and that of a strategy "
        "on paper once it goes live; 0: `capital`, and not possible with `hybrid`.",
        examples=["500 USDT"],
    )
    demotion: Literal["run_off", "flatten", "hand_over"] = Field(
        default="run_off",
        description="What becomes of its live book when its stage is taken from it (a safety stop, "
        "or `plimsoll graduate move`): it runs off, is closed in slices, or is yours.",
    )
    params: dict[str, Any] = Field(
        default={}, description="Values for the class's parameters.", examples=[{"fast": 10}]
    )
