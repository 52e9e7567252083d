"""What faults do by themselves when they begin, happen and end."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from plimsoll.simulator.brain.connection import Connection
from plimsoll.simulator.brain.numbers import drawn_uuid
from plimsoll.simulator.faults.frames import Frames
from plimsoll.simulator.faults.ground import Ground
from plimsoll.simulator.faults.plan import Active, Change, Where, reaches

_MS: Final = 1_000_000
_CRASH_S: Final = 5.0
_SPIKE_NS: Final = 200 * _MS
_KEYS: Final[dict[str, tuple[str, Any, Any]]] = {
    # property of the key, under the fault, otherwise
    "key_revoked": ("revoked", True, "is_revoked"),
    "key_expired": ("expired", True, "is_expired"),
    "permission_lost": ("read_only", True, "is_read_only"),
    "address_unbound": ("ips", ("192.0.2.1",), "ips"),
}
_KEPT_SOCKETS: Final = ("permission_lost",)
_BROKEN: Final = ("loss", "half_open_out", "half_open_in", "path_dead")
"""After these a connection has bytes missing: it never comes to life again."""


class Events:
    """Cuts, breaks, prints, orders by hand and the venue's clock."""

    def __init__(self, ground: Ground, frames: Frames) -> None:
        """Act on an exchange and its connections."""
        self._ground = ground
        self._frames = frames
        self._happen: dict[str, Callable[[Active, int], None]] = {
            "cut": self._cut,
            "goodbye": self._goodbye,
            "trade_restart": self._trade_restart,
            "book_restart": self._new_books,
            "sudden_snapshot": self._new_books,
            "short_break": self._break,
            "price_spike": self._spike,
            "crash": self._crash,
            "hand_order": self._hand_order,
            "hand_cancel": self._hand_cancel,
            "hand_close": self._hand_close,
            "venue_cancel": self._venue_cancel,
            "liquidation": self._liquidation,
            "adl": self._liquidation,
            "fees_changed": self._fees_changed,
            "forget_closed": self._forget_closed,
        }
        self._keys: dict[tuple[str, int], Any] = {}
        """What keys were like before faults changed them, by fault name and uid."""

    def happen(self, change: Change, now_ns: int) -> None:
        """Record a change of the plan and do what belongs to it."""
        fault, name = change.fault, change.fault.ask.name
        if change.event == "occur":
            self._happen[name](fault, now_ns)
            return
        shown = {key: value for key, value in _asked(fault).items() if key != "name"}
        self._ground.note(fault, now_ns, change.event, source=fault.source, asked=shown)
        if name == "maintenance":
            (self._announce if change.event == "begin" else self._reopen)(fault, now_ns)
        if name in _KEYS:
            self._set_keys(fault, now_ns)
            if change.event == "begin" and name not in _KEPT_SOCKETS:
                self._cut_accounts(fault, now_ns)
        if name == "funding_rate":
            self._set_funding(fault, now_ns)
        if name in _BROKEN and change.event == "end":
            self._reset_broken(fault, now_ns)
        if name in ("clock_step", "clock_drift"):
            self.set_clock(now_ns)
            self._effect(fault, now_ns, off_ms=self._ground.floor.skew_ms)

    def set_clock(self, now_ns: int) -> None:
        """Set how far the venue's clock is off."""
        skew_ms = 0.0
        for fault in self._ground.plan.active.values():
            if fault.ask.name == "clock_step":
                skew_ms += fault.ask.size
            elif fault.ask.name == "clock_drift":
                skew_ms += fault.ask.size * (now_ns - fault.begun_ns) / 1e9
        self._ground.floor.skew_ms = int(skew_ms)

    def _connections(self, fault: Active) -> list[Connection]:
        return [
            one
            for one in self._ground.exchange.streams.connections.values()
            if reaches(fault, _where(one))
        ]

    def _cut(self, fault: Active, now_ns: int) -> None:
        found = self._connections(fault)
        if found:
            one = found[self._ground.plan.choose(f"{fault.id}:cut", len(found))]
            self._effect(fault, now_ns, conn=one.number)
            self._ground.drop(one.number)

    def _goodbye(self, fault: Active, now_ns: int) -> None:
        for one in self._connections(fault):
            self._effect(fault, now_ns, conn=one.number, code=fault.ask.answer_code)
            self._ground.say_goodbye(one.number, fault.ask.answer_code)

    def _cut_accounts(self, fault: Active, now_ns: int) -> None:
        for one in self._connections(fault):
            if one.account is not None:
                self._effect(fault, now_ns, conn=one.number)
                self._ground.drop(one.number)

    def _set_keys(self, fault: Active, now_ns: int) -> None:
        """Let keys be as the active faults of this name want them, or as they were before."""
        name = fault.ask.name
        word, changed, attribute = _KEYS[name]
        for account in self._ground.hands.accounts(fault.uid):
            key = name, account.uid
            holding = self._ground.plan.holding(name, Where(account.uid))
            if holding is None and key in self._keys:
                value = self._keys.pop(key)
            elif holding is not None and key not in self._keys:
                self._keys[key] = getattr(account.rights, attribute)
                value = changed
            else:
                continue
            output = self._ground.hands.change_key(account, {word: value}, now_ns)
            self._effect(fault, now_ns, uid=account.uid, **{word: value})
            self._frames.merge(output, now_ns)

    def _set_funding(self, fault: Active, now_ns: int) -> None:
        """Fix funding rates as the active faults want them, or let them be computed again."""
        for name in self._ground.hands.perpetuals(_symbol(fault)):
            symbol = name.partition(":")[2]
            holding = self._ground.plan.holding("funding_rate", Where(symbol=symbol))
            rate = format(Decimal(str(holding.ask.size)), "f") if holding is not None else ""
            output = self._ground.hands.fix_funding(name, rate, now_ns)
            self._effect(fault, now_ns, symbol=name, fundingRate=rate)
            self._frames.merge(output, now_ns)

    def _reset_broken(self, fault: Active, now_ns: int) -> None:
        for one in self._connections(fault):
            where = Where(kind=one.kind, connection=one.number)
            if self._ground.plan.is_chosen(fault, where):
                self._effect(fault, now_ns, conn=one.number, does="reset")
                self._ground.drop(one.number)

    def _trade_restart(self, fault: Active, now_ns: int) -> None:
        found = [one for one in self._connections(fault) if one.kind == "trade"]
        for one in found:
            self._effect(fault, now_ns, conn=one.number)
            self._ground.restarting[one.number] = fault

        def close(at_ns: int) -> None:
            for one in found:
                self._ground.restarting.pop(one.number, None)
                self._ground.drop(one.number)

        self._ground.later(now_ns + int(fault.ask.size * _MS), close)

    def _new_books(self, fault: Active, now_ns: int) -> None:
        for name, publisher in self._ground.exchange.streams.publishers.items():
            item = publisher.market.listing.instrument
            if not reaches(fault, Where(kind=item.category, symbol=item.symbol)):
                continue
            topics = publisher.books()
            if not topics:
                continue
            if fault.ask.name == "book_restart":
                publisher.restart()
            self._effect(fault, now_ns, symbol=name, topics=topics)
            for one in list(self._ground.exchange.streams.connections.values()):
                for topic in topics:
                    if one.kind == item.category:
                        send = self._frames.snapshot(one, topic, now_ns)
                        self._ground.send(*([send] if send else []))

    def _break(self, fault: Active, now_ns: int) -> None:
        self._effect(fault, now_ns, connections=len(self._ground.exchange.streams.connections))
        self._ground.closed = "break"
        self._ground.drop(*self._ground.exchange.streams.connections)
        self._restart_venue()

        def reopen(at_ns: int) -> None:
            if self._ground.closed == "break":
                self._ground.closed = ""

        self._ground.later(now_ns + int(fault.ask.size * _MS), reopen)

    def _announce(self, fault: Active, now_ns: int) -> None:
        begin_ns = now_ns + int(fault.ask.size * _MS)
        self._status(fault, "scheduled", begin_ns, fault.ends_ns, now_ns)

        def close(at_ns: int) -> None:
            if fault.id in self._ground.plan.active:
                self._ground.closed = "maintenance"
                self._effect(fault, at_ns, state="ongoing")
                self._status(fault, "ongoing", begin_ns, fault.ends_ns, at_ns)
                streams = self._ground.exchange.streams
                self._ground.drop(
                    *(one.number for one in streams.connections.values() if one.kind != "status")
                )
                self._restart_venue()

        self._ground.later(begin_ns, close)

    def _reopen(self, fault: Active, now_ns: int) -> None:
        if self._ground.closed == "maintenance":
            self._ground.closed = ""
        begin_ns = fault.begun_ns + int(fault.ask.size * _MS)
        self._status(fault, "completed", begin_ns, now_ns, now_ns)

    def _status(self, fault: Active, state: str, begin_ns: int, end_ns: int, now_ns: int) -> None:
        row = {
            "id": drawn_uuid(self._ground.floor.settings.seed, "status", int(fault.id[1:])),
            "title": "Scheduled maintenance",
            "state": state,
            "begin": str(begin_ns // _MS),
            "end": str(min(end_ns, begin_ns + 86_400_000 * _MS) // _MS),
            "href": "",
            "serviceTypes": [2, 3, 4, 5],
            "product": [1, 2],
            "uidSuffix": [],
            "maintainType": 1,
            "env": 1,
        }
        self._effect(fault, now_ns, state=state)
        self._ground.send(*self._ground.exchange.streams.system_status(row, now_ns // _MS))

    def _spike(self, fault: Active, now_ns: int) -> None:
        markets = self._ground.floor.markets
        before = {name: market.last_ticks for name, market in markets.items()}
        names = self._ground.hands.print_away(_symbol(fault), fault.ask.size, now_ns)
        self._effect(fault, now_ns, symbols=names)

        def back(at_ns: int) -> None:
            for name in names:
                self._frames.merge(self._ground.hands.print_back(name, before[name], at_ns), at_ns)

        self._ground.later(now_ns + _SPIKE_NS, back)

    def _crash(self, fault: Active, now_ns: int) -> None:
        symbol = _symbol(fault)
        for name, market in self._ground.floor.markets.items():
            if symbol in ("", market.listing.instrument.symbol):
                self._effect(fault, now_ns, symbol=name, share=fault.ask.size)
                self._ground.move(name, fault.ask.size, _CRASH_S)

    def _hand_order(self, fault: Active, now_ns: int) -> None:
        symbol = {"symbol": _symbol(fault)} if fault.ask.symbol else {}
        for account in self._ground.hands.accounts(fault.uid):
            values = fault.ask.values | symbol
            told = self._ground.hands.order(account, values, now_ns)
            self._effect(fault, now_ns, uid=account.uid, **told)
        self._settle(now_ns)

    def _hand_cancel(self, fault: Active, now_ns: int) -> None:
        for account in self._ground.hands.accounts(fault.uid):
            told = self._ground.hands.cancel_oldest(account, _symbol(fault), now_ns)
            if told:
                self._effect(fault, now_ns, uid=account.uid, **told)
        self._settle(now_ns)

    def _hand_close(self, fault: Active, now_ns: int) -> None:
        for account in self._ground.hands.accounts(fault.uid):
            for told in self._ground.hands.close_positions(account, _symbol(fault), now_ns):
                self._effect(fault, now_ns, uid=account.uid, **told)
        self._settle(now_ns)

    def _venue_cancel(self, fault: Active, now_ns: int) -> None:
        cancel_type = fault.ask.values.get("cancelType", "CancelByAdmin")
        for account in self._ground.hands.accounts(fault.uid):
            symbol = _symbol(fault)
            ids = self._ground.hands.cancel_for_venue(account, symbol, cancel_type, now_ns)
            if ids:
                self._effect(fault, now_ns, uid=account.uid, cancelType=cancel_type, orders=ids)
        self._settle(now_ns)

    def _liquidation(self, fault: Active, now_ns: int) -> None:
        hands = self._ground.hands
        act = hands.liquidate if fault.ask.name == "liquidation" else hands.deleverage
        for account in hands.accounts(fault.uid):
            for position in hands.held(account, _symbol(fault)):
                before = position.lots
                output = act(account, position, fault.ask.size, now_ns)
                lots = abs(before - position.lots)
                told = {"symbol": position.listing.name, "qty": position.listing.qtys.text(lots)}
                self._effect(fault, now_ns, uid=account.uid, **told)
                self._frames.merge(output, now_ns)

    def _fees_changed(self, fault: Active, now_ns: int) -> None:
        for account in self._ground.hands.accounts(fault.uid):
            output = self._ground.hands.change_fees(account, fault.ask.values, now_ns)
            self._effect(fault, now_ns, uid=account.uid)
            self._frames.merge(output, now_ns)

    def _forget_closed(self, fault: Active, now_ns: int) -> None:
        for account in self._ground.hands.accounts(fault.uid):
            count = self._ground.hands.forget_recent(account)
            self._effect(fault, now_ns, uid=account.uid, orders=count)

    def _restart_venue(self) -> None:
        """Lose what the venue loses when it restarts: book numbers, recently closed orders."""
        for publisher in self._ground.exchange.streams.publishers.values():
            publisher.restart()
        for account in self._ground.hands.accounts(0):
            self._ground.hands.forget_recent(account)

    def _settle(self, now_ns: int) -> None:
        self._frames.merge(self._ground.hands.settle(now_ns), now_ns)

    def _effect(self, fault: Active, now_ns: int, **fields: Any) -> None:  # noqa: ANN401
        fault.effects += 1
        self._ground.note(fault, now_ns, **fields)


def _where(one: Connection) -> Where:
    return Where(one.account.uid if one.account else 0, one.kind, one.number)


def _symbol(fault: Active) -> str:
    return fault.ask.symbol.rpartition(":")[2]


def _asked(fault: Active) -> dict[str, Any]:
    ask = {name: getattr(fault.ask, name) for name in fault.ask.__struct_fields__}
    return {name: value for name, value in ask.items() if value not in ("", 0, None, {})}
