"""What every order request shares: the words, amounts and ids it may hold, and its JSON."""

import re
from decimal import Decimal
from functools import cache
from typing import Final, Literal, get_args, get_origin

import msgspec

Category = Literal["linear", "spot"]
Json = dict[str, object]

BATCH_MOST: Final = {"linear": 20, "spot": 10}
"""Most orders of one batch (Bybit v5 docs, order/batch-place)."""

_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,36}")
_SYMBOL: Final = re.compile(r"[A-Z0-9-]+")


class BadRequest(ValueError):
    """A request that the venue would refuse or misread; the text says why."""


def encoded(body: Json) -> bytes:
    """Return the JSON text of parameters."""
    return msgspec.json.encode(body)


def plain(number: Decimal) -> str:
    """Return a number as the venue writes it: no exponent, its own trailing zeros."""
    return format(number, "f")


def said(fields: Json) -> Json:
    """Return the fields that say something, amounts as text."""
    return {
        name: plain(value) if isinstance(value, Decimal) else value
        for name, value in fields.items()
        if isinstance(value, Decimal)
        or value not in (None, "", 0, False)
        or (name == "rpiTakerAccess" and value is False)
    }


def check_words(request: msgspec.Struct) -> None:
    """Refuse a word that the venue's pages do not have for its parameter."""
    for name, words in _words_of(type(request)):
        value = getattr(request, name)
        if not any(value == word and type(value) is type(word) for word in words):
            shown = ", ".join(str(word) for word in words if word != "")
            raise BadRequest(f"expected {name} to be one of {shown}, found {value!r}")


@cache
def _words_of(kind: type[msgspec.Struct]) -> tuple[tuple[str, tuple[object, ...]], ...]:
    fields = msgspec.structs.fields(kind)
    return tuple(
        (field.name, get_args(field.type)) for field in fields if get_origin(field.type) is Literal
    )


def check_symbol(category: str, symbol: str) -> None:
    """Refuse a category or symbol the venue does not have in this form."""
    if category not in BATCH_MOST:
        raise BadRequest(f"expected category linear or spot, found {category!r}")
    if not _SYMBOL.fullmatch(symbol):
        raise BadRequest(f"expected a symbol in capitals such as BTCUSDT, found {symbol!r}")


def check_client_id(text: str) -> None:
    """Refuse a client order id the venue would not take."""
    if text and not _CLIENT_ID.fullmatch(text):
        raise BadRequest(
            f"expected a client order id of 1 to 36 letters, digits, - and _, found {text!r}"
        )


def check_positive(number: Decimal | None, name: str) -> None:
    """Refuse an amount that is given and not above zero."""
    if number is None:
        return
    if not isinstance(number, Decimal):
        raise BadRequest(f"expected {name} as a Decimal, found {number!r}")
    if not (number.is_finite() and number > 0):
        raise BadRequest(f"expected a {name} above zero, found {number}")


def check_only(is_right: bool, name: str, value: object, category: str) -> None:
    """Refuse a parameter that this category does not take."""
    if value and not is_right:
        raise BadRequest(f"{name} is for {category} only")
