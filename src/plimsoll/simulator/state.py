"""What a run leaves for the next one with the same directory: accounts, orders, history, counters.

Theory of operation. ``state.json`` holds everything but history and is replaced as a whole by a
rename. ``history.jsonl`` grows by one line for each closed order, execution and transaction;
``state.json`` says how many bytes of it count. ``state.json`` also repeats the record lines that
are not in the record's file yet. So whatever instant the process dies at, the three files give one
consistent state, at most 50 ms old.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from plimsoll.core.model import TimeInForce
from plimsoll.simulator.brain.accounts import Account, Entry
from plimsoll.simulator.brain.batch import Batch
from plimsoll.simulator.brain.closed_pnl import ClosedPnl
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.funding import Funding
from plimsoll.simulator.brain.later import Change
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.settlement import settle
from plimsoll.simulator.packing import Unpackable, Unpacker, fields_of, packed

VERSION: Final = 2
SKIPPED_IDS: Final = 1000
"""Ids left out after a run that died: its last answers may have named them."""
_OF_SETTINGS: Final = frozenset(
    {"key", "secret", "public_key", "uid", "rights", "is_unified", "may_dcp", "reserves"}
)
"""Of an account: what the settings say, and sums that are made anew from its orders."""
_HISTORY: Final[dict[str, type[Any]]] = {
    "executions": Entry,
    "transactions": Entry,
    "closed_pnl": ClosedPnl,
}
_LINKS: Final = "_links"
"""Client ids ever used: rebuilt from history, as every index of orders is by adding them."""
_OF_FLOOR: Final = frozenset(
    {
        *("settings", "listings", "markets", "accounts", "by_uid", "lines", "pushes", "skew_ms"),
        *("ratios", "later", "waiting", "_n", "_priced"),
    }
)
"""Of the floor: what the settings say, what is made anew, and what ``save`` writes apart."""


class StateError(Exception):
    """What an earlier run left cannot be used; the text says what to do."""


class StateFile:
    """The files of one directory."""

    def __init__(self, directory: Path, floor: Floor) -> None:
        """Keep a floor's state in a directory that exists or will."""
        self._path = directory / "state.json"
        self._history_path = directory / "history.jsonl"
        self._floor = floor
        self._written: dict[tuple[int, str], object] = {}
        self._history_bytes = 0
        self._live: dict[str, Order] = {}
        self._waiting: dict[str, dict[str, Order]] = {}
        self._later: list[tuple[int, Change]] = []
        self.lines: list[bytes] = []
        """After ``load``: record lines the file of the record may miss, and the first's number."""
        self.first_line = 1
        self.was_clean = True

    @property
    def exists(self) -> bool:
        """Return whether an earlier run left something."""
        return self._path.exists()

    def forget(self) -> None:
        """Remove what an earlier run left."""
        self._path.unlink(missing_ok=True)
        self._history_path.unlink(missing_ok=True)

    def save(self, unwritten: list[bytes], count: int, *, clean: bool = False) -> None:
        """Write the state now.

        Args:
            unwritten: Record lines that are not in the record's file yet.
            count: The number of the last of them.
            clean: The exchange stops in order.

        Raises:
            OSError: it cannot be written.
        """
        self._append_history()
        floor = {}
        for name, value in vars(self._floor).items():
            if name not in _OF_FLOOR:
                try:
                    floor[name] = packed(value)
                except Unpackable:  # an index or a machine of the brain, made anew at the start
                    continue
        state = {
            "version": VERSION,
            "clean": clean,
            "first_line": count - len(unwritten) + 1,
            "lines": [line.decode() for line in unwritten],
            "history_bytes": self._history_bytes,
            "floor": floor,
            "waiting": packed(self._floor.waiting),
            "later": packed(self._floor.later.pending()),
            "funding": {name: packed(found) for name, found in _funding_of(self._floor)},
            "accounts": [_account(account) for account in self._floor.accounts.values()],
        }
        written = self._path.with_suffix(".tmp")
        written.write_bytes(msgspec.json.encode(state))
        written.replace(self._path)

    def load(self) -> list[str]:
        """Put what an earlier run left into the floor; return notes about what was left out.

        Raises:
            StateError: a file is damaged or of another version.
        """
        try:
            state = msgspec.json.decode(self._path.read_bytes())
            if state["version"] != VERSION:
                raise StateError(f"{self._path}: of another version; {_REMEDY}")
            return list(self._restore(state))
        except (OSError, msgspec.DecodeError, Unpackable) as error:
            raise StateError(f"{self._path}: cannot be used ({error}); {_REMEDY}") from error
        except (LookupError, AttributeError, TypeError, ValueError) as error:
            text = f"{type(error).__name__}: {error}"
            raise StateError(f"{self._path}: damaged ({text}); {_REMEDY}") from error

    def reenter(self, now_ns: int) -> None:
        """Put the open orders back into the books, behind what is displayed.

        An order the market has moved through while nobody was here trades now, as a taker. Triggers
        are looked at, and changes that were on their way have their effect, from now on.
        """
        orders = sorted(self._floor.working.values(), key=lambda order: order.serial)
        for order in orders:
            if not order.is_open:  # accepted, and not in the book yet
                continue
            market = self._floor.markets[order.listing.name]
            batch = Batch(self._floor, market, now_ns)
            outcome = market.book.submit(
                order.order_id,
                order.side,
                order.price_ticks,
                order.leaves_lots,
                TimeInForce.GTC,
                str(order.uid),
                smp=False,
            )
            batch.fills(outcome.fills)
            settle(batch)
        for name, waiting in self._waiting.items():
            self._floor.waiting[name] = waiting
            self._floor.markets[name].is_watched = True
        self._floor.later.resume(self._later)

    def _restore(self, state: dict[str, Any]) -> Iterator[str]:
        self.lines = [line.encode() for line in state["lines"]]
        self.first_line = state["first_line"]
        self.was_clean = state["clean"]
        self._history_bytes = state["history_bytes"]
        unpacker = Unpacker(self._floor.listings, self._live.get)
        self._restore_history(unpacker)
        for found in state["accounts"]:
            account = self._floor.by_uid.get(found["uid"])
            if account is None:
                yield f"uid {found['uid']} is in {self._path.name} and not in the settings"
                continue
            self._restore_account(unpacker, account, found)
        unpacker.update(self._floor, state["floor"])
        self._floor.working = _known(self._floor.working)
        waiting = unpacker.value(state["waiting"])
        self._waiting = {name: known for name, all_ in waiting.items() if (known := _known(all_))}
        later = unpacker.value(state["later"])
        self._later = [(due_ns, change) for due_ns, change in later if change.order is not None]
        for name, funding in state["funding"].items():
            if name in self._floor.markets:
                self._floor.markets[name].funding.resume(unpacker.value(funding))

    def _restore_account(self, unpacker: Unpacker, account: Account, found: dict[str, Any]) -> None:
        for fields in found["live"]:
            order = unpacker.struct(Order, fields)
            account.orders.add(order)
            self._live[order.order_id] = order
        unpacker.update(account.orders, found["orders"])
        unpacker.update(account, found["account"])
        for order in account.orders.live():
            account.reserves.note(order, account.orders)

    def _restore_history(self, unpacker: Unpacker) -> None:
        if not self._history_path.exists():
            if self._history_bytes:
                raise StateError(f"{self._history_path}: is missing; {_REMEDY}")
            return
        with self._history_path.open("r+b") as file:
            file.truncate(self._history_bytes)
            for line in file:
                found = msgspec.json.decode(line)
                account = self._floor.by_uid.get(found["uid"])
                if account is None:
                    continue
                if found["what"] == "closed":
                    order = unpacker.struct(Order, found["item"])
                    account.orders.add(order)
                    account.orders.close(order)
                else:
                    what = found["what"]
                    getattr(account, what).append(unpacker.struct(_HISTORY[what], found["item"]))
        for account in self._floor.accounts.values():
            for what, items in _history_of(account):
                if items:
                    self._written[account.uid, what] = items[-1]

    def _append_history(self) -> None:
        lines = []
        for account in self._floor.accounts.values():
            for what, items in _history_of(account):
                for item in self._new(account.uid, what, items):
                    found = {"uid": account.uid, "what": what, "item": fields_of(item)}
                    lines.append(msgspec.json.encode(found))
        if not lines:
            return
        data = b"\n".join(lines) + b"\n"
        with self._history_path.open("ab") as file:
            file.write(data)
        self._history_bytes += len(data)

    def _new(self, uid: int, what: str, items: deque[Any]) -> list[Any]:
        """Return the items that were added since the last call, oldest first."""
        last, found = self._written.get((uid, what)), []
        for item in reversed(items):
            if item is last:
                break
            found.append(item)
        if items:
            self._written[uid, what] = items[-1]
        return found[::-1]


_REMEDY: Final = "start with fresh, or remove it"


def _history_of(account: Account) -> list[tuple[str, deque[Any]]]:
    kept = [(what, getattr(account, what)) for what in _HISTORY]
    return [*kept, ("closed", account.orders.closed)]


def _account(account: Account) -> dict[str, Any]:
    """Return an account's state: what is neither a setting nor history nor an index."""
    left_out = _OF_SETTINGS | {"orders", *_HISTORY}
    return {
        "uid": account.uid,
        "live": [fields_of(order) for order in account.orders.live()],
        "orders": {
            name: packed(item)
            for name, item in vars(account.orders).items()
            if name != _LINKS and not _holds_orders(item)
        },
        "account": {
            name: packed(item) for name, item in vars(account).items() if name not in left_out
        },
    }


def _known(orders: Mapping[str, Order | None]) -> dict[str, Order]:
    """Return the orders whose accounts are still there."""
    return {key: order for key, order in orders.items() if order is not None}


def _funding_of(floor: Floor) -> Iterator[tuple[str, Funding]]:
    """Yield the instruments on which funding was or will be paid here."""
    held = {
        name
        for account in floor.accounts.values()
        for name, position in account.ledger.positions.items()
        if position.lots
    }
    for name, market in floor.markets.items():
        if name in held or market.funding.history:
            yield name, market.funding


def _holds_orders(value: object) -> bool:
    items: Iterable[object] = ()
    if isinstance(value, dict):
        items = value.values()
    elif isinstance(value, deque | list):
        items = value
    return any(isinstance(item, Order) or _holds_orders(item) for item in items)
