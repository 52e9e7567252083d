"""The naive twin: computes everything from the whole list of records, and shares no code.

Each question is asked of the list anew: where was the book, what came first, what is newest.
"""

from collections import defaultdict
from fractions import Fraction
from typing import Any

from plimsoll.core.records import (
    BookChanged,
    ClockMeasured,
    ExecutionReported,
    InstrumentListed,
    LeaseTaken,
    LinkChanged,
    OrderDenied,
    OrderIntended,
    OrderReported,
    OrderSent,
    OutcomeLost,
    PaperAmendIntended,
    PaperFilled,
    PaperOrderIntended,
    PaperReported,
    RequestAnswered,
    StreamChanged,
)

MS = 10**6
HORIZONS = (1_000, 10_000, 60_000)


class Found:
    """What one key has: every single value, so that sums, n and quantiles can be compared."""

    def __init__(self):
        self.lists = defaultdict(list)
        self.counts = defaultdict(int)


class Twin:
    def __init__(self, log):
        self.log = log
        self.found: dict[Any, Found] = defaultdict(Found)
        self.outside = 0
        self.listed = {r.instrument.name: r.instrument for r in log if type(r) is InstrumentListed}
        self.timelines = {name: self._timeline(name) for name in self.listed}
        for record in log:
            if type(record) in (OrderIntended, PaperOrderIntended):
                self._order(record)
            elif type(record) is OrderDenied:
                self.found[record.owner, record.instrument, False, "none"].counts["denied"] += 1

    # ---- the market ----

    def _offset(self, seq):
        offsets = [r.offset_ns for r in self.log if type(r) is ClockMeasured and r.seq <= seq]
        return offsets[-1] if offsets else 0

    def _ms(self, record):
        return (record.ts_ns + self._offset(record.seq)) // MS

    def _timeline(self, name):
        """Rows (seq, venue ms, best bid + best ask or 0, whether a book said so)."""
        rows, reached, before = [], 0, None
        for record in self.log:
            kind, row = type(record), None
            if kind is BookChanged and record.instrument == name:
                row = (record.venue_ms, self._halves(record), True)
            elif self._is_cut(record, name):
                row = (self._ms(record), 0, False)
            elif kind is LeaseTaken and before is not None:
                row = (self._ms(before) + 1, 0, False)
            if row is not None:
                reached = max(reached, row[0])
                rows.append((record.seq, reached, *row[1:]))
            before = record
        return rows

    def _is_cut(self, record, name):
        if type(record) is LinkChanged:
            return name.startswith(record.link.split(".")[-1] + ":")
        return type(record) is StreamChanged and record.instrument == name

    def _halves(self, book):
        ticks = float(self.listed[book.instrument].tick)
        bid = round(max((p for p, _ in book.bids), default=0) / ticks)
        ask = round(min((p for p, _ in book.asks), default=0) / ticks)
        return bid + ask if bid and ask and bid < ask else 0

    def _middle(self, name, seq):
        rows = [row for row in self.timelines[name] if row[0] <= seq]
        return rows[-1][2] if rows else 0

    def _middle_at(self, name, ms, seq):
        """Return the middle after all that happened up to ``ms``, 0 where that is never known."""
        rows = self.timelines[name]
        is_reached = any(row[1] > ms for row in rows if row[0] <= seq or row[3])
        upto = [row for row in rows if row[1] <= ms]
        return upto[-1][2] if upto and is_reached else 0

    # ---- an order ----

    def _order(self, intent):
        mine = [r for r in self.log if getattr(r, "client_order_id", "") == intent.client_order_id]
        is_paper, name = type(intent) is PaperOrderIntended, intent.instrument
        kind = "stop" if intent.trigger_ticks else str(intent.order_type)
        found = self.found[intent.owner, name, is_paper, kind]
        found.counts["orders"] += 1
        fills = self._fills(mine)
        self._requests(found, intent, mine, is_paper)
        self._end(found, intent, mine, fills, is_paper)
        signs = [r for r in mine if self._is_sign(r)]
        sent = [r.ts_ns for r in mine if type(r) is OrderSent and r.action == "create"]
        if signs and self._is_prompt(signs[0]):
            asked_ns = sent[0] if sent and not is_paper else intent.ts_ns
            found.lists["ack"].append(signs[0].ts_ns - asked_ns)
        in_market = [
            r
            for r in signs
            if not getattr(r, "is_untriggered", False)
            and not (kind == "stop" and type(r) is RequestAnswered)
        ]
        arrived = in_market[0] if in_market and self._is_prompt(in_market[0]) else None
        start_ns = intent.ts_ns
        decision = self._middle(name, intent.seq)
        if kind == "stop":
            start_ns = arrived.ts_ns if arrived else 0
            decision = 2 * intent.trigger_ticks
        arrival = self._middle(name, arrived.seq) if arrived else 0
        self._times(found, mine, fills, start_ns, is_paper)
        for fill in fills:
            # An arrival that is noticed later than a fill says nothing about that fill.
            self._costs(found, intent, fill, decision, arrival)

    def _fills(self, mine):
        fills: list[Any] = []
        seen = set()
        for record in mine:
            if type(record) is PaperFilled:
                fills.append(record)
            elif type(record) is ExecutionReported and record.execution_id not in seen:
                seen.add(record.execution_id)
                fills.append(record)
        return fills

    def _is_sign(self, record):
        if type(record) is RequestAnswered:
            return record.action == "create" and record.outcome == "accepted"
        if type(record) is OrderReported:
            return record.status != "rejected"
        return type(record) in (ExecutionReported, PaperReported, PaperFilled)

    def _is_prompt(self, record):
        return getattr(record, "source", "stream") == "stream"

    def _requests(self, found, intent, mine, is_paper):
        if is_paper:
            found.counts["requests"] += 1 + sum(type(r) is PaperAmendIntended for r in mine)
            return
        requests: list[tuple[str, set[str]]] = []
        for record in mine:
            kind = type(record)
            action = getattr(record, "action", "create" if kind is OrderReported else "")
            if action not in ("create", "amend"):
                continue
            if kind is OrderSent:
                requests.append((action, set()))
                continue
            how = None
            if kind is RequestAnswered:
                how = {"refused": "rejected", "unknown": "unknown"}.get(record.outcome)
            elif kind is OutcomeLost:
                how = "unknown"
            elif kind is OrderReported and record.status == "rejected":
                how = "rejected"
            if how is None:
                continue
            if not any(one == action for one, _ in requests):
                requests.append((action, set()))
            [one for one in requests if one[0] == action][-1][1].add(how)
        found.counts["requests"] += len(requests)
        for _, hows in requests:
            found.counts["failed"] += bool(hows)
            for how in hows:
                found.counts[how] += 1

    def _end(self, found, intent, mine, fills, is_paper):
        filled = sum(fill.qty_lots for fill in fills)
        if is_paper:
            newest: list[Any] = [r for r in mine if type(r) is PaperReported][-1:]
            is_full = bool(newest) and filled >= newest[0].qty_lots
        else:
            reports = sorted((r.updated_ms, r.seq, r) for r in mine if type(r) is OrderReported)
            newest = [row[2] for row in reports[-1:]]
            is_full = False
        if not newest:
            return
        status = "filled" if is_full else str(newest[0].status)
        if status not in ("filled", "canceled", "expired"):
            return
        asked = newest[0].qty_lots
        per = intent.price_ticks * self.listed[intent.instrument].cash_per_tick_lot
        found.counts["ended"] += 1
        found.counts["canceled"] += status != "filled" and filled < asked
        found.counts["asked_units"] += asked * per
        found.counts["filled_units"] += filled * per

    def _filled_ns(self, fill):
        if self._is_prompt(fill):
            return fill.ts_ns
        return fill.executed_ms * MS - self._offset(fill.seq)

    def _times(self, found, mine, fills, start_ns, is_paper):
        if not fills or not start_ns:
            return
        found.lists["first_fill"].append(self._filled_ns(fills[0]) - start_ns)
        reports = sorted(
            (getattr(r, "updated_ms", 0), r.seq, r)
            for r in mine
            if type(r) in (OrderReported, PaperReported)
        )
        filled, newest = sum(fill.qty_lots for fill in fills), reports[-1][2]
        is_whole = filled >= newest.qty_lots if is_paper else newest.status == "filled"
        if is_whole:
            found.lists["full_fill"].append(max(map(self._filled_ns, fills)) - start_ns)

    def _costs(self, found, intent, fill, decision, arrival):
        name = intent.instrument
        instrument = self.listed[name]
        sign = 1 if intent.side == "buy" else -1
        weight = fill.qty_lots * instrument.cash_per_tick_lot
        price = 2 * fill.price_ticks
        worth = fill.price_ticks * weight
        found.counts["fills"] += 1
        found.counts["worth_units"] += worth
        found.counts["maker_units"] += worth if fill.is_maker else 0
        if fill.fee_coin == "USDT":
            found.lists["fees"].append((fill.fee_units, worth))
        elif fill.fee_coin == "BTC":
            fee = Fraction(fill.fee_units * worth, fill.qty_lots * instrument.base_units_per_lot)
            found.lists["fees"].append((-(-fee.numerator // fee.denominator), worth))
        if decision:
            self._cost(found, "decision", sign, price, decision, weight)
        if arrival:
            self._cost(found, "arrival", sign, price, arrival, weight)
        at_ms = fill.executed_ms if type(fill) is ExecutionReported else self._paper_ms(fill, name)
        middle = self._middle_at(name, at_ms - 1, fill.seq)
        if not middle:
            return
        self._cost(found, "at_fill", sign, price, middle, weight)
        for horizon in HORIZONS:
            later = self._middle_at(name, at_ms + horizon, fill.seq)
            if later:
                key = f"markout_{horizon // 1_000}"
                self._cost(found, key, -sign, later, middle, weight)

    def _paper_ms(self, fill, name):
        cause = self.log[fill.cause - 1] if fill.cause else None
        if type(cause) is BookChanged and cause.instrument == name:
            return next(row[1] for row in self.timelines[name] if row[0] == cause.seq)
        return self._ms(fill)

    def _cost(self, found, name, sign, price, reference, weight):
        cost = (price - reference) * sign * weight
        found.lists[name].append((cost, reference * weight, Fraction(cost, reference * weight)))
