"""The judge of process-level tests: the simulator's own record against the engine's log.

It reads the record as text and the log through a replica, and shares no code with what it judges.
"""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from plimsoll.core.engine import Core
from plimsoll.core.model import PROTECTION_LABEL, Instrument
from plimsoll.core.model.grid import common
from plimsoll.core.records import (
    AbsenceShown,
    AmendIntended,
    CancelIntended,
    ExecutionReported,
    InstrumentListed,
    OrderIntended,
    Record,
    SendRefused,
    decode,
)
from plimsoll.engine import Replica
from plimsoll.journal import KIND_RECORD, TRADING, scan

_UNASKED = {"CreateByLiq", "CreateByStopLoss", "CreateByTakeProfit"}
OPEN = {"New", "PartiallyFilled", "Untriggered"}
INTENTS: dict[str, type[OrderIntended | AmendIntended | CancelIntended]] = {
    "create": OrderIntended,
    "amend": AmendIntended,
    "cancel": CancelIntended,
}


def read_record(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a simulator's record; a torn last line is left out."""
    lines = []
    for text in path.read_text().splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            break
    assert [line["n"] for line in lines] == list(range(lines[0]["n"], lines[0]["n"] + len(lines)))
    return lines


def violations(record: list[dict[str, Any]], journal_dir: Path, tag: str) -> list[str]:
    """Return everything that must never be, in words; empty is a pass."""
    replica = Replica(journal_dir)
    replica.poll()
    replica.close()
    core = replica.core
    ours = _records(journal_dir)
    found: list[str] = []
    found += _orders(record, ours, tag, core)
    found += _requests(record, ours, tag)
    found += _absences(record, ours)
    found += _executions(record, ours, tag)
    found += _positions(record, core)
    found += _wallet(record, core)
    return found


def _records(journal_dir: Path) -> list[Record]:
    return [
        decode(entry.payload) for entry in scan(journal_dir, TRADING) if entry.kind == KIND_RECORD
    ]


def _orders(record: list[dict[str, Any]], ours: list[Record], tag: str, core: Core) -> list[str]:
    intents = Counter(item.client_order_id for item in ours if isinstance(item, OrderIntended))
    found = [f"id intended twice: {link}" for link, count in intents.items() if count > 1]
    numbers: dict[str, str] = {}
    last: dict[str, str] = {}
    for line in record:
        link = line.get("orderLinkId", "")
        if line["kind"] != "order" or not link.startswith(f"{tag}-"):
            continue
        if link not in intents:
            found.append(f"order at the venue without a live intent: {link}")
        if numbers.setdefault(link, line["orderId"]) != line["orderId"]:
            found.append(f"order doubled: {link}")
        last[link] = line["orderStatus"]
    epochs = [int(link.split("-")[1]) for link in numbers]
    if epochs != sorted(epochs):
        found.append("epochs at the venue decrease")
    working = {link for link, status in last.items() if status in OPEN}
    known = {
        one.id
        for one in core.orders.working.values()
        if not one.is_paper and one.label != PROTECTION_LABEL
    }
    if working != known:
        found.append(f"open at the venue {sorted(working)}, ours {sorted(known)}")
    return found


def _requests(record: list[dict[str, Any]], ours: list[Record], tag: str) -> list[str]:
    """Every create, amend and cancel that arrived was intended, once and with this content."""
    intended: dict[tuple[str, str], list[Any]] = {}
    listed: dict[str, Instrument] = {}
    named: dict[str, str] = {}
    steps: dict[int, Instrument] = {}
    """What an intent's ticks and lots were at its moment, by its seq."""
    for item in ours:
        if isinstance(item, InstrumentListed):
            new, old = item.instrument, listed.get(item.instrument.name)
            listed[new.name] = new if old is None else common(old, new)
        elif isinstance(item, OrderIntended):
            named[item.client_order_id] = item.instrument
        if isinstance(item, (OrderIntended, AmendIntended)):
            steps[item.seq] = listed[named[item.client_order_id]]
        for action, kind in INTENTS.items():
            if isinstance(item, kind):
                intended.setdefault((action, item.client_order_id), []).append(item)
    asked: Counter[tuple[str, str]] = Counter()
    found = []
    for line in record:
        action = str(line.get("path", "")).rpartition("order")[2].strip("./")
        if line["kind"] != "request" or action not in INTENTS:
            continue
        body = line["body"][0] if isinstance(line["body"], list) else line["body"]
        key = action, body.get("orderLinkId", "")
        if not key[1].startswith(f"{tag}-"):
            continue
        asked[key] += 1
        if asked[key] > len(intended.get(key, ())):
            found.append(f"{action} of {key[1]} arrived {asked[key]} times")
        elif action != "cancel" and not any(
            _is_as(one, body, steps[one.seq]) for one in intended[key]
        ):
            found.append(f"{action} of {key[1]} is not what was intended: {body}")
    return found


def _is_as(intent: Any, body: dict[str, Any], instrument: Instrument) -> bool:
    price, qty = intent.price_ticks * instrument.tick, intent.qty_lots * instrument.lot
    wanted = {"price": price, "qty": qty}
    is_side = "side" not in body or body["side"].lower() == str(intent.side)
    return is_side and all(
        name not in body or Decimal(body[name]) == value for name, value in wanted.items()
    )


def _absences(record: list[dict[str, Any]], ours: list[Record]) -> list[str]:
    """What we hold for certainly not there was never there."""
    there = {line["orderLinkId"] for line in record if line["kind"] == "order"}
    return [
        f"{type(item).__name__} of an order the venue had: {item.client_order_id}"
        for item in ours
        if isinstance(item, (AbsenceShown, SendRefused))
        and item.action == "create"
        and item.client_order_id in there
    ]


def _executions(record: list[dict[str, Any]], records: list[Record], tag: str) -> list[str]:
    theirs: Counter[str] = Counter()
    for line in record:
        if line["kind"] == "execution" and (
            line["orderLinkId"].startswith(f"{tag}-") or _is_the_venues(line)
        ):
            theirs[line["execId"]] += 1
    ours = {one.execution_id for one in records if isinstance(one, ExecutionReported)}
    found = [f"execution twice in the record: {one}" for one, n in theirs.items() if n > 1]
    found += [f"execution lost: {one}" for one in theirs if one not in ours]
    found += [f"execution invented: {one}" for one in ours if one not in theirs]
    return found


def _is_the_venues(line: dict[str, Any]) -> bool:
    """Return whether no order of a client led to an execution: funding, liquidation, exits."""
    return line["execType"] != "Trade" or line["createType"] in _UNASKED


def _positions(record: list[dict[str, Any]], core: Core) -> list[str]:
    theirs: dict[str, Decimal] = {}
    for line in record:
        if line["kind"] == "position":
            sign = -1 if line["side"] == "Sell" else 1
            theirs[f"{line.get('category', 'linear')}:{line['symbol']}"] = sign * Decimal(
                line["size"] or "0"
            )
    found = []
    for name, instrument in core.ledger.instruments.items():
        if instrument.is_spot:
            continue
        ours = core.ledger.account_lots(name, core.state.paper_owners) * instrument.lot
        if ours != theirs.get(name, Decimal(0)):
            found.append(f"position {name}: ours {ours}, venue {theirs.get(name)}")
    return found


def _wallet(record: list[dict[str, Any]], core: Core) -> list[str]:
    theirs: dict[str, Decimal] = {}
    for line in record:
        if line["kind"] == "wallet":
            for coin in line["coin"]:
                theirs[coin["coin"]] = Decimal(coin["walletBalance"])
    found = []
    for coin, balance in theirs.items():
        ours = Decimal(core.ledger.cash.get(coin, 0)) / 10**8
        if ours != balance:
            found.append(f"wallet {coin}: ours {ours}, venue {balance}")
    return found
