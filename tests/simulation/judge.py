"""The judge of process-level tests: the simulator's own record against the engine's log.

It reads the record as text and the log through a replica, and shares no code with what it judges.
"""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from plimsoll.core.engine import Core
from plimsoll.core.model import PROTECTION_LABEL
from plimsoll.core.records import ExecutionReported, OrderIntended, decode
from plimsoll.engine import Replica
from plimsoll.journal import KIND_RECORD, TRADING, scan

_UNASKED = {"CreateByLiq", "CreateByStopLoss", "CreateByTakeProfit"}
OPEN = {"New", "PartiallyFilled", "Untriggered"}


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
    found: list[str] = []
    found += _orders(record, journal_dir, tag, core)
    found += _executions(record, journal_dir, tag)
    found += _positions(record, core)
    found += _wallet(record, core)
    return found


def _orders(record: list[dict[str, Any]], journal_dir: Path, tag: str, core: Core) -> list[str]:
    intents = Counter(
        item.client_order_id
        for entry in scan(journal_dir, TRADING)
        if entry.kind == KIND_RECORD and isinstance(item := decode(entry.payload), OrderIntended)
    )
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
    ours = {
        one.id
        for one in core.orders.working.values()
        if not one.is_paper and one.label != PROTECTION_LABEL
    }
    if working != ours:
        found.append(f"open at the venue {sorted(working)}, ours {sorted(ours)}")
    return found


def _executions(record: list[dict[str, Any]], journal_dir: Path, tag: str) -> list[str]:
    theirs: Counter[str] = Counter()
    for line in record:
        if line["kind"] == "execution" and (
            line["orderLinkId"].startswith(f"{tag}-") or _is_the_venues(line)
        ):
            theirs[line["execId"]] += 1
    ours = {}
    for entry in scan(journal_dir, TRADING):
        if entry.kind == KIND_RECORD:
            item = decode(entry.payload)
            if isinstance(item, ExecutionReported):
                ours[item.execution_id] = item
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
