"""Messages made wrong: bytes lost, added and turned; numbers, names and shapes exchanged."""

import json
import random
import re
from collections.abc import Iterator

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
ODD_NUMBERS = (
    *(b"NaN", b"nan", b"inf", b"-Infinity", b"1e400", b"1E-8", b"-1", b"-0", b"0", b"", b" 1"),
    *(b"9" * 400, b"1e999999", b"0x10", b"1_000", b"1,5", b"null", b"true", b"1.7e308", b"00012"),
)
ODD_TEXTS = (
    *(b"null", b"{}", b"[]", b'""', b"true", b"-1", b'"\\ud800"', b'"\xff"', b'"a"', b"[[]]"),
    *(b"[" * 2000, b'{"a":' * 600, b'"' + b"x" * 70_000 + b'"', b"1e400", b'"NaN"'),
)


def mutated(messages: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield ``count`` messages, each made from a drawn one by one to four changes."""
    draw = random.Random(seed)
    changes = (_turn, _turn, _cut, _drop, _repeat, _number, _number, _number, _value, _swap, _extra)
    for _ in range(count):
        raw = draw.choice(messages)
        for _ in range(draw.choice((1, 1, 1, 2, 4))):
            raw = draw.choice(changes)(raw, draw) or b"{}"
        yield raw


def _turn(raw: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(raw))
    return raw[:at] + bytes([draw.randrange(256)]) + raw[at + 1 :]


def _cut(raw: bytes, draw: random.Random) -> bytes:
    return raw[: draw.randrange(len(raw))]


def _drop(raw: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(raw))
    return raw[:at] + raw[at + draw.randrange(1, 12) :]


def _repeat(raw: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(raw))
    return raw[:at] + raw[at : at + draw.randrange(1, 40)] + raw[at:]


def _number(raw: bytes, draw: random.Random) -> bytes:
    found = list(NUMBER.finditer(raw))
    if not found:
        return raw
    one = draw.choice(found)
    return raw[: one.start()] + draw.choice(ODD_NUMBERS) + raw[one.end() :]


def _value(raw: bytes, draw: random.Random) -> bytes:
    """Put something else in the place of one value, whatever follows it."""
    colons = [at for at, byte in enumerate(raw) if byte == 0x3A]
    if not colons:
        return raw
    at = draw.choice(colons) + 1
    end = min((raw.find(mark, at) for mark in (b",", b"}") if raw.find(mark, at) > 0), default=at)
    return raw[:at] + draw.choice(ODD_TEXTS) + raw[end:]


def _swap(raw: bytes, draw: random.Random) -> bytes:
    """Exchange two fields of the outermost object."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return raw
    if not isinstance(found, dict) or len(found) < 2:
        return raw
    first, second = draw.sample(sorted(found), 2)
    found[first], found[second] = found[second], found[first]
    return json.dumps(found, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _extra(raw: bytes, draw: random.Random) -> bytes:
    """Add a field nobody knows, or one that is there already."""
    name = draw.choice((b"new", b"topic", b"data", b"type", b"u", b"retCode", b"\\u0000"))
    return raw.replace(b"{", b'{"' + name + b'":' + draw.choice(ODD_TEXTS) + b",", 1)
