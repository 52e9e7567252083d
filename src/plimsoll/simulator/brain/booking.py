"""Money effects written down: executions, funding, settlements, and what clients hear of them."""

from decimal import Decimal

from plimsoll.core.matching import Fill
from plimsoll.simulator.brain.accounts import Account, Entry
from plimsoll.simulator.brain.adl_rank import adl_rank
from plimsoll.simulator.brain.closed_pnl import closed_by, closed_by_session
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.ledger import Booked, CoinChange, Position
from plimsoll.simulator.brain.margin import totals_of
from plimsoll.simulator.brain.money_rows import (
    position_line,
    position_row,
    settlement_row,
    transaction_row,
    transaction_rows,
)
from plimsoll.simulator.brain.numbers import ZERO, text_of
from plimsoll.simulator.brain.order_rows import Row, execution_row, funding_row
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.public import PublicMarket
from plimsoll.simulator.brain.wallet_rows import wallet_line, wallet_row


class Bookkeeper:
    """Books what happens on one instrument at one moment."""

    def __init__(self, floor: Floor, market: PublicMarket, now_ns: int) -> None:
        """Book at a moment."""
        self._floor = floor
        self._market = market
        self._now_ns = now_ns
        self._now_ms = now_ns // 1_000_000

    def execution(
        self, order: Order, fill: Fill, exec_type: str = "Trade", rate: Decimal | None = None
    ) -> Row:
        """Book one execution of an order and return its row."""
        account = self._floor.by_uid[order.uid]
        listing = order.listing
        booked = account.ledger.book(
            listing, order.side, fill.price_ticks, fill.qty_lots, is_maker=fill.is_maker, rate=rate
        )
        order.fill(fill.price_ticks, fill.qty_lots, self._now_ms)
        order.fees[booked.fee_coin] = order.fees.get(booked.fee_coin, ZERO) + booked.fee
        if booked.closed_lots:
            order.closed_pnl += booked.realised - booked.fee
        exec_id = self._floor.next_id(listing, "execution")
        row = execution_row(order, fill, booked, self._market, exec_id, self._now_ms)
        row["execType"] = exec_type
        size = ""
        if not listing.is_spot:
            size = self._signed_size(account, fill.qty_lots - booked.closed_lots)
            self._close(account, order, fill, booked, exec_type)
        self._keep(account, row, transaction_rows(row, booked, size))
        return row

    def funding(self, account: Account, position: Position, rate: Decimal) -> Row:
        """Pay or receive the funding of a position at the mark and return its row."""
        listing = position.listing
        change = account.ledger.pay_funding(position, self._market.mark_ticks, rate)
        ids = self._floor.next_id(listing, "order"), self._floor.next_id(listing, "execution")
        row = funding_row(position, -change.funding, rate, self._market, ids, self._now_ms)
        size = self._signed_size(account, 0)
        self._keep(account, row, [settlement_row(row, change, size)])
        return row

    def session(self, account: Account, position: Position) -> CoinChange:
        """Turn the open profit of a USDC perpetual into cash."""
        mark, serial = self._market.mark_ticks, self._floor.next_serial()
        closed = closed_by_session(position, position.basis, mark, serial, self._now_ms)
        change = account.ledger.settle_session(position, mark)
        account.closed_pnl.append(closed)
        item = position.listing.instrument
        row = transaction_row(change, "SETTLEMENT", f"session_{serial}", self._now_ms) | {
            "symbol": item.symbol,
            "category": item.category,
            "side": closed.row()["side"],
            "qty": position.listing.qtys.text(abs(position.lots)),
            "size": self._signed_size(account, 0),
            "tradePrice": position.listing.prices.text(mark),
        }
        note_transaction(self._floor, account, row, self._now_ms)
        return change

    def push_position(self, account: Account, *, recorded: bool) -> None:
        """Tell an account its position on this instrument."""
        floor, listing = self._floor, self._market.listing
        position, quotes = account.ledger.position(listing), floor.quotes()
        row = position_row(
            account,
            position,
            totals_of(account, quotes),
            quotes,
            adl_rank=adl_rank(floor.by_uid.values(), account, position, quotes),
            rest=False,
        )
        floor.push(account.uid, "position", listing.instrument.category, [row])
        if recorded:
            line = position_line(position, row)
            floor.record(self._now_ns, "position", account.uid, line)

    def _signed_size(self, account: Account, opened_lots: int) -> str:
        """Note when the position changed, and began; return its signed size."""
        position = account.ledger.position(self._market.listing)
        position.updated_ms = self._now_ms
        position.created_ms = position.created_ms or self._now_ms
        if opened_lots and abs(position.lots) == opened_lots:
            position.opened_ms = self._now_ms
        position.seq = self._market.seq
        return text_of(position.listing.qty(position.lots))

    def _close(
        self, account: Account, order: Order, fill: Fill, booked: Booked, exec_type: str
    ) -> None:
        if not booked.closed_lots:
            return
        closed = account.closing.get(order.order_id)
        if closed is None:
            leverage = account.ledger.position(order.listing).leverage
            closed = closed_by(order, self._floor.next_serial(), exec_type, leverage)
            account.closing[order.order_id] = closed
        closed.add(booked, fill.price_ticks, self._now_ms)

    def _keep(self, account: Account, row: Row, transactions: list[Row]) -> None:
        entry = Entry(self._floor.next_serial(), self._now_ms, row)
        account.executions.append(entry)
        for one in transactions:
            note_transaction(self._floor, account, one, self._now_ms)
        self._floor.record(self._now_ns, "execution", account.uid, row)


def note_transaction(floor: Floor, account: Account, row: Row, now_ms: int) -> None:
    """Put a row into the transaction log."""
    account.transactions.append(Entry(floor.next_serial(), now_ms, row))


def push_wallet(
    floor: Floor,
    account: Account,
    coins: set[str],
    now_ns: int,
    *,
    recorded: bool,
    cause: str = "",
) -> None:
    """Tell an account its balances of some coins; ``cause`` says why without an execution."""
    quotes = floor.quotes()
    row = wallet_row(account, totals_of(account, quotes), quotes, coins)
    floor.push(account.uid, "wallet", "", [row])
    if recorded:
        line = wallet_line(row) | ({"cause": cause} if cause else {})
        floor.record(now_ns, "wallet", account.uid, line)
