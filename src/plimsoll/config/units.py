"""Durations, fractions, money and byte counts as people write them, brought to exact integers.

Every function raises ValueError whose text says what would do: it follows the word "expected".
"""

import re
from decimal import Decimal
from typing import Final

_NUMBER: Final = r"([0-9][0-9_]*(?:\.[0-9]+)?)"
_DURATION: Final = re.compile(_NUMBER + r" ?([a-z]+)")
_PERCENT: Final = re.compile(_NUMBER + r" ?%")
_PLAIN: Final = re.compile(_NUMBER)
_MONEY: Final = re.compile(_NUMBER + r"(?:(?: |(?=[A-Z]))([A-Z0-9]{2,10}))?")
_MULTIPLE: Final = re.compile(_NUMBER + r"(?: ?x)?")
_BYTES: Final = re.compile(_NUMBER + r" ?([kMGT]i?B)")

_NS: Final = {
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
_SIZES: Final = {
    f"{prefix}{'iB' if base == 1024 else 'B'}": base**power
    for base in (1000, 1024)
    for power, prefix in enumerate("kMGT", start=1)
}
_DOLLARS: Final = ("USDT", "USDC", "USD")
"""They count as one."""

_PPM: Final = 1_000_000
_UNITS: Final = 10**8
_MOST: Final = 10**15
"""Largest number of coins or multiples accepted: far above any plausible limit."""


def duration_ns(value: object) -> int:
    """Return nanoseconds of text such as ``"5 s"`` or ``"250 ms"``."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in _NS:
        raise ValueError('a duration with its unit, such as "5 s" (ms, s, min, h, d)')
    return _whole(_decimal(match[1]) * _NS[match[2]], "a duration of whole nanoseconds")


def fraction_ppm(value: object) -> int:
    """Return parts per million of ``"2 %"`` or ``0.02``."""
    expected = 'a fraction from 0 to 1, such as "2 %" or 0.02'
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    fraction = _decimal(match[1]) / 100 if match else _number(value, _PLAIN, expected)
    if not 0 <= fraction <= 1:
        raise ValueError(expected)
    return _whole(fraction * _PPM, 'a fraction of at most six decimal places, such as "0.05 %"')


def multiple_ppm(value: object) -> int:
    """Return parts per million of a multiple such as ``2``, ``1.5`` or ``"3x"``."""
    expected = 'a multiple of equity, such as 2, 1.5 or "3x"'
    number = _number(value, _MULTIPLE, expected)
    return _whole(number * _PPM, "a multiple of at most six decimal places")


def cash(value: object) -> int:
    """Return cash units (1e-8) of ``500``, ``"500"`` or ``"500 USDT"``; no other coin is money."""
    expected = 'an amount of money from 0 on, such as 500 or "500 USDT"'
    match = _MONEY.fullmatch(value) if isinstance(value, str) else None
    if match and match[2] and match[2] not in _DOLLARS:
        raise ValueError(f"{expected}: it is counted in {', '.join(_DOLLARS)}, not in {match[2]}")
    return _whole(_number(value, _MONEY, expected) * _UNITS, "at most eight decimal places")


def quantity(value: object) -> int:
    """Return units (1e-8) of base coin of ``0.05``, ``"0.05"`` or ``"0.05 BTC"``."""
    expected = 'a quantity from 0 on, such as 0.05 or "0.05 BTC"'
    return _whole(_number(value, _MONEY, expected) * _UNITS, "at most eight decimal places")


def byte_count(value: object) -> int:
    """Return bytes of text such as ``"10 GB"`` (powers of 1000) or ``"10 GiB"`` (of 1024)."""
    match = _BYTES.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('a size with its unit, such as "10 GB" (kB, MB, GB, TB, kiB ... TiB)')
    return int(_decimal(match[1]) * _SIZES[match[2]])


def duration_text(ns: int) -> str:
    """Return a duration as it is written, in the largest unit that keeps it whole."""
    unit = max((name for name in _NS if ns % _NS[name] == 0), key=_NS.__getitem__, default="")
    return f"{ns // _NS[unit]} {unit}" if unit else f"{ns / _NS['ms']:g} ms"


def fraction_text(ppm: int) -> str:
    """Return a fraction as it is written, in per cent."""
    return f"{ppm / 10_000:g} %"


def multiple_text(ppm: int) -> str:
    """Return a multiple as it is written."""
    return f"{ppm / _PPM:g}"


def byte_text(count: int) -> str:
    """Return a size as it is written, in the largest power of 1000 that keeps it whole."""
    names = [name for name, size in _SIZES.items() if "i" not in name and count % size == 0]
    unit = max(names, key=_SIZES.__getitem__, default="")
    return f"{count // _SIZES[unit]} {unit}" if unit else f"{count / 1000:g} kB"


def _number(value: object, form: re.Pattern[str], expected: str) -> Decimal:
    if isinstance(value, str):
        match = form.fullmatch(value)
        number = _decimal(match[1] if match else "", expected)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = _decimal(str(value), expected)
    else:
        raise ValueError(expected)
    if not 0 <= number <= _MOST:
        raise ValueError(expected)
    return number


def _decimal(text: str, expected: str = "a number") -> Decimal:
    try:
        number = Decimal(text.replace("_", ""))
    except ArithmeticError:
        raise ValueError(expected) from None
    if not number.is_finite():
        raise ValueError(expected)
    return number


def _whole(number: Decimal, expected: str) -> int:
    if number != number.to_integral_value():
        raise ValueError(expected)
    return int(number)
