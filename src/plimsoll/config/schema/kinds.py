"""What a key may hold, how it is written in the file, and the table all others are made from."""

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from plimsoll.config import units
from plimsoll.core.model import cash_text

_INSTRUMENT: Final = re.compile(r"(linear|spot):[A-Z0-9]{2,30}")


class Section(BaseModel):
    """A table of the file: its keys and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


def _instrument(text: str) -> str:
    if not _INSTRUMENT.fullmatch(text):
        raise ValueError('an instrument such as "linear:BTCUSDT" or "spot:BTCUSDT"')
    return text


def _reference(text: str) -> str:
    scheme, _, target = text.partition(":")
    if text and (scheme not in ("file", "env") or not target):
        raise ValueError('a reference, "file:PATH" or "env:NAME"; the key itself never stands here')
    return text


Duration = Annotated[int, BeforeValidator(units.duration_ns)]
Fraction = Annotated[int, BeforeValidator(units.fraction_ppm)]
Multiple = Annotated[int, BeforeValidator(units.multiple_ppm)]
Cash = Annotated[int, BeforeValidator(units.cash)]
Quantity = Annotated[int, BeforeValidator(units.quantity)]
Bytes = Annotated[int, BeforeValidator(units.byte_count)]
Count = Annotated[int, Field(ge=0, le=10**9)]
Instrument = Annotated[str, AfterValidator(_instrument)]
Reference = Annotated[str, AfterValidator(_reference)]


def as_written(metadata: Iterable[object], value: object) -> object:
    """Return a value of a key in the words of the file: ``5 s`` and not its nanoseconds."""
    for item in metadata:
        if isinstance(item, BeforeValidator) and isinstance(value, int):
            words = _WORDS.get(item.func)
            return words(value) if words else value
    return value


_WORDS: Final[dict[object, Callable[[int], str]]] = {
    units.duration_ns: units.duration_text,
    units.fraction_ppm: units.fraction_text,
    units.multiple_ppm: units.multiple_text,
    units.cash: cash_text,
    units.quantity: cash_text,
    units.byte_count: units.byte_text,
}
