"""The page of the typed Bybit client: its endpoints, and the rows it reads."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec

from generating.page import made_from, one_line, page
from plimsoll.venues.bybit.api import ENDPOINTS
from plimsoll.venues.bybit.api.endpoint import GROUPS, Endpoint


def client_page() -> str:
    """Return every endpoint of the typed client and every row it reads."""
    rows = {endpoint.row: None for endpoint in ENDPOINTS}
    for kind in list(rows):
        rows.update(dict.fromkeys(_inner_rows(kind)))
    lines = [
        "# The Bybit client",
        "",
        *made_from("src/plimsoll/venues/bybit/api/client.py"),
        "`BybitClient` asks every endpoint of Bybit v5 that trading spot and linear contracts",
        "needs. The engine does not use it: it has a narrower way of its own that writes the same",
        "bytes for the same order. Amounts are exact decimals, times Unix milliseconds; a list is",
        "whole or an error, oldest first where its rows have a time, each row once.",
        "",
        "```python",
        "async with BybitClient(settings, clock) as client:",
        '    tiers = await client.market.risk_tiers("BTCUSDT")',
        "    order = OrderRequest(",
        '        category="linear", symbol="BTCUSDT", side="Buy", qty=Decimal("0.01"), '
        'price=Decimal("30000")',
        "    )",
        "    answer = await client.orders.create(order)",
        "```",
        "",
        "An order request ends in an `OrderAnswer` (`accepted`, `refused`, `gone`, `unknown`),",
        "never in an exception, and is never sent twice. Everything else raises `CallFailed` with",
        "the venue's code, or `ParseError` with endpoint, row and field. A setting that is so",
        "already is success. Words the venue's pages do not list are kept and counted in",
        "`BybitClient.strange_words`; fields without a row's name are passed over.",
        "",
        "## Endpoints",
        "",
        "Per second: linear, spot; a dash where only the limit of the address holds.",
        "",
        "| method | request | key | per second | pages | gives |",
        "|---|---|---|---|---|---|",
        *map(_endpoint_row, ENDPOINTS),
        "",
        "## Rows",
        "",
        "A field with a dash behind it must be there; one with a word stands for itself when the",
        "venue says nothing (an empty text, null, or no such field).",
    ]
    for kind in sorted(rows, key=lambda one: one.__name__):
        lines += _row_section(kind)
    return page(lines)


def _endpoint_row(endpoint: Endpoint[Any]) -> str:
    limits = GROUPS[endpoint.group]
    per_second = ", ".join(str(limit or "-") for limit in limits)
    gives = f"`{endpoint.row.__name__}`" + (" each" if endpoint.is_list else "")
    request = f"{endpoint.method} `{endpoint.path}`"
    signed = "yes" if endpoint.signed else ""
    return (
        f"| `{endpoint.name}` | {request} | {signed} | {per_second} | {endpoint.paging} | {gives} |"
    )


def _row_section(kind: type[msgspec.Struct]) -> Iterator[str]:
    fields = msgspec.structs.fields(kind)
    if not fields:
        return
    is_list = kind.__struct_config__.array_like
    yield from ("", f"### {kind.__name__}", "", _first_line(kind), "")
    yield f"| field | {'column' if is_list else 'venue'} | kind | without a value |"
    yield "|---|---|---|---|"
    for place, field in enumerate(fields, 1):
        wire = str(place) if is_list else f"`{field.encode_name}`"
        yield f"| `{field.name}` | {wire} | {_kind_of(field.type)} | {_default_of(field)} |"


def _first_line(kind: type[msgspec.Struct]) -> str:
    return one_line((kind.__doc__ or "").partition("\n\n")[0])


def _default_of(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "-"
    if field.default is None:
        return "none"
    is_said = isinstance(field.default, str | int | Decimal) and field.default != ""
    return str(field.default).lower() if is_said else "empty"


def _kind_of(kind: object) -> str:
    """Return the kind of a field in words."""
    if get_origin(kind) is Annotated:
        return str(get_args(kind)[1].name)
    arguments = [one for one in get_args(kind) if one is not type(None)]
    if get_origin(kind) is tuple:
        return f"list of {_kind_of(arguments[0])}"
    if get_origin(kind) is dict:
        return f"{_kind_of(arguments[1])} by name"
    if arguments:
        return _kind_of(arguments[0])
    name = str(getattr(kind, "__name__", kind))
    return _KINDS.get(name, f"`{name}`")


_KINDS: Final = {"Decimal": "number", "int": "whole number", "bool": "truth", "str": "text"}


def _inner_rows(kind: object) -> Iterator[type[msgspec.Struct]]:
    """Yield the rows inside a row, however deep."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        for part in get_args(kind):
            yield from _inner_rows(part)
        return
    yield kind
    for field in msgspec.structs.fields(kind):
        yield from _inner_rows(field.type)
