"""What faults do to the body of a REST answer: rows missing, doubled, late, or in another form."""

from typing import Any, Final

import msgspec

from plimsoll.simulator.faults.ground import Ground
from plimsoll.simulator.faults.payload import VARIANTS
from plimsoll.simulator.faults.plan import Where, path_of

_MS: Final = 1_000_000
_PAGES: Final = frozenset(
    {"order.realtime", "order.history", "execution.list", "account.transaction-log"}
)
_INSTRUMENT: Final = ("halt_instrument", "delist", "filters_changed")
ANSWERED: Final = (
    *VARIANTS,
    *("history_missing", "history_doubled", "rest_lag"),
    *_INSTRUMENT,
)
"""The faults that change bodies."""


class Answers:
    """Changes the bodies of answers."""

    def __init__(self, ground: Ground) -> None:
        """Change the answers of an exchange."""
        self._ground = ground
        self._plan = ground.plan

    def changed(self, body: bytes, where: Where, told: dict[str, Any], now_ns: int) -> bytes:
        """Return a body as the active faults leave it."""
        try:
            answer = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return body
        result = answer.get("result")
        endpoint = path_of(where.endpoint)
        if answer.get("retCode") == 0 and isinstance(result, dict):
            if endpoint in _PAGES and isinstance(result.get("list"), list):
                result["list"] = self._rows(result["list"], endpoint, where, told, now_ns)
            elif endpoint == "market.instruments-info":
                self._instruments(result.get("list", []), now_ns)
        for name, change in VARIANTS.items():
            if self._plan.is_active(name) and (fault := self._plan.hit(name, where)):
                self._ground.note(fault, now_ns, **told)
                answer = answer | {"result": change(answer.get("result"))}
        return msgspec.json.encode(answer)

    def _rows(
        self,
        rows: list[dict[str, Any]],
        endpoint: str,
        where: Where,
        told: dict[str, Any],
        now_ns: int,
    ) -> list[dict[str, Any]]:
        plan = self._plan
        here = Where(where.uid, "rest", endpoint=where.endpoint)
        if lag := plan.holding("rest_lag", here):
            newest_ms = now_ns // _MS - int(lag.ask.size)
            kept = [row for row in rows if _time_of(row) <= newest_ms]
            if len(kept) < len(rows):
                self._ground.note(lag, now_ns, hidden=len(rows) - len(kept), **told)
            rows = kept
        if rows and (fault := plan.hit("history_missing", where)):
            left_out = max(1, round(len(rows) * min(1.0, abs(fault.ask.size))))
            self._ground.note(fault, now_ns, hidden=left_out, **told)
            rows = rows[left_out:]
        if rows and (fault := plan.hit("history_doubled", where)):
            self._ground.note(fault, now_ns, doubled=len(rows), **told)
            rows = [row for row in rows for _ in range(2)]
        return rows

    def _instruments(self, rows: list[dict[str, Any]], now_ns: int) -> None:
        for row in rows:
            where = Where(symbol=row["symbol"])
            if fault := self._plan.holding("halt_instrument", where):
                self._ground.note_once(fault, now_ns, symbol=row["symbol"])
                row["status"] = "Closed"
            if fault := self._plan.holding("delist", where):
                self._ground.note_once(fault, now_ns, symbol=row["symbol"])
                row["deliveryTime"] = str(fault.begun_ns // _MS + int(fault.ask.size * 1000))
            if fault := self._plan.holding("filters_changed", where):
                self._ground.note_once(fault, now_ns, symbol=row["symbol"])
                _set_filters(row, fault.ask.values)


def _time_of(row: dict[str, Any]) -> int:
    for name in ("execTime", "createdTime", "transactionTime"):
        if row.get(name):
            return int(row[name])
    return 0


def _set_filters(row: dict[str, Any], values: dict[str, str]) -> None:
    """Write changed filters where this category keeps them."""
    lots, prices = row.get("lotSizeFilter", {}), row.get("priceFilter", {})
    if "tickSize" in values:
        prices["tickSize"] = values["tickSize"]
    if "qtyStep" in values:
        lots["qtyStep" if "qtyStep" in lots else "basePrecision"] = values["qtyStep"]
    if "minOrderQty" in values:
        lots["minOrderQty"] = values["minOrderQty"]
    if "maxLeverage" in values and "leverageFilter" in row:
        row["leverageFilter"]["maxLeverage"] = values["maxLeverage"]
