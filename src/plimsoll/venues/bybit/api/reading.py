"""Reads the venue's JSON into typed rows: exact numbers, tolerant words, errors that name a field.

A row is a frozen Struct. The annotation of each field says how its value is read:

===================  ==============================================================================
``Decimal``          text or bare number, exact
``int``, ``bool``    the same as text too (``"1700000000000"``, ``"true"``, ``1``)
``str``              text; a number or a list is kept as its JSON text
a kind of ``words``  text; a word outside the list is counted in ``Reader.strange``
a Struct, a tuple    the same, inside
===================  ==============================================================================

``""``, null and an absent field are "no value": the field's default stands, and a field without a
default is missing. Fields nobody asks for are passed over.
"""

import types
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, NamedTuple, TypeVar, Union, get_args, get_origin

import msgspec

from plimsoll.venues.bybit.api.words import Words
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.numbers import decimal_in, has_value

RowT = TypeVar("RowT", bound=msgspec.Struct)

_STRANGE_KEPT: Final = 1000
_FLAGS: Final = {"true": True, "false": False, "1": True, "0": False}

_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode
"""Numbers with a fraction arrive as the decimals their text says, never as floats."""


class Reader:
    """Reads rows and counts the words it does not know."""

    __slots__ = ("strange",)

    def __init__(self) -> None:
        self.strange: dict[tuple[str, str], int] = {}
        """How often a word (kind, word) came that the venue's pages do not list."""

    def row(self, kind: type[RowT], raw: bytes, where: str) -> RowT:
        """Return the row in ``raw``.

        Args:
            kind: Its class.
            raw: Its JSON text.
            where: What it is, for errors: the endpoint or topic, and the row's number.

        Raises:
            ParseError: it is no JSON, a field is missing, or a value is not of its kind.
        """
        try:
            value = _decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
            raise ParseError(f"{where}: {error}; found {raw[:120]!r}") from error
        return self.value(kind, value, where)

    def value(self, kind: type[RowT], value: object, where: str) -> RowT:
        """Return the row that a decoded value stands for; raises as ``row`` does."""
        if kind.__struct_config__.array_like:
            return kind(**self._columns(kind, value, where))
        if not isinstance(value, dict):
            raise ParseError(f"{where}: expected an object, found {_shown(value)}")
        return kind(**self._fields(kind, value, where))

    def note(self, words: Words, text: str) -> None:
        """Count a word that is not listed."""
        key = (words.name, text[:64])
        if key in self.strange or len(self.strange) < _STRANGE_KEPT:
            self.strange[key] = self.strange.get(key, 0) + 1

    def _fields(
        self, kind: type[msgspec.Struct], value: Mapping[str, object], where: str
    ) -> dict[str, object]:
        found: dict[str, object] = {}
        for field in _plan(kind):
            self._take(field, value.get(field.wire), where, found)
        return found

    def _columns(self, kind: type[msgspec.Struct], value: object, where: str) -> dict[str, object]:
        """Read a row that is a list: the columns stand in the order of the fields."""
        if not isinstance(value, list):
            raise ParseError(f"{where}: expected a list, found {_shown(value)}")
        found: dict[str, object] = {}
        for place, field in enumerate(_plan(kind)):
            self._take(field, value[place] if place < len(value) else None, where, found)
        return found

    def _take(self, field: "_Field", value: object, where: str, found: dict[str, object]) -> None:
        if value is None or (value == "" and not field.takes_empty):
            if field.is_required:
                raise ParseError(f"{where}: {field.wire} is missing")
            return
        found[field.name] = field.read(self, value, f"{where}: {field.wire}")


_Read = Callable[[Reader, object, str], object]


class _Field(NamedTuple):
    name: str
    wire: str
    read: _Read
    is_required: bool
    takes_empty: bool


@cache
def _plan(kind: type[msgspec.Struct]) -> tuple[_Field, ...]:
    """Return how each field of a class is read."""
    return tuple(
        _Field(
            field.name,
            field.encode_name,
            _reader_of(field.type),
            field.required,
            _bare(field.type) is str,
        )
        for field in msgspec.structs.fields(kind)
    )


def _bare(kind: object) -> object:
    """Return a type without its words and without "or None"."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        (inner,) = (part for part in get_args(kind) if part is not type(None))
        return _bare(inner)
    return kind


def _reader_of(kind: object) -> _Read:
    if get_origin(kind) is Annotated:
        return _word_reader(get_args(kind)[1])
    bare = _bare(kind)
    if bare in _SIMPLE:
        return _SIMPLE[bare]
    if get_origin(bare) is tuple:
        return _list_reader(_reader_of(get_args(bare)[0]))
    if get_origin(bare) is dict:
        return _map_reader(_reader_of(get_args(bare)[1]))
    assert isinstance(bare, type), f"a row cannot hold {kind}"
    assert issubclass(bare, msgspec.Struct), f"a row cannot hold {kind}"
    return _row_reader(bare)


def _row_reader(kind: type[msgspec.Struct]) -> _Read:
    return lambda reader, value, where: reader.value(kind, value, where)


def _text(reader: Reader, value: object, where: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | list | dict):
        return msgspec.json.encode(value).decode()
    return str(value)


def _number(reader: Reader, value: object, where: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ParseError(f"{where} expected a number, found {_shown(value)}")
    try:
        return decimal_in(value)
    except ValueError as error:
        raise ParseError(f"{where} {error}") from error


def _whole(reader: Reader, value: object, where: str) -> int:
    if isinstance(value, str) and value.lstrip("-").isdecimal() and value.isascii():
        value = int(value) if len(value) < 20 else value
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _number(reader, value, where)
    if found != found.to_integral_value():
        raise ParseError(f"{where} expected a whole number, found {_shown(value)}")
    return int(found)


def _flag(reader: Reader, value: object, where: str) -> bool:
    found = _FLAGS.get(str(value).lower())
    if found is None:
        raise ParseError(f"{where} expected true or false, found {_shown(value)}")
    return found


def _word_reader(words: Words) -> _Read:
    def read(reader: Reader, value: object, where: str) -> str:
        text = _text(reader, value, where)
        if text not in words.known:
            reader.note(words, text)
        return text

    return read


def _list_reader(read: _Read) -> _Read:
    def read_all(reader: Reader, value: object, where: str) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise ParseError(f"{where} expected a list, found {_shown(value)}")
        return tuple(read(reader, item, f"{where} {at}") for at, item in enumerate(value))

    return read_all


def _map_reader(read: _Read) -> _Read:
    def read_all(reader: Reader, value: object, where: str) -> dict[str, object]:
        if not isinstance(value, dict):
            raise ParseError(f"{where} expected an object, found {_shown(value)}")
        return {
            name: read(reader, item, f"{where}.{name}")
            for name, item in value.items()
            if has_value(item)
        }

    return read_all


_SIMPLE: Final[Mapping[Any, _Read]] = {str: _text, Decimal: _number, int: _whole, bool: _flag}


def _shown(value: object) -> str:
    return repr(value)[:80]
