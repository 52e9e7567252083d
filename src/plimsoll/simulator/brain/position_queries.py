"""Signed REST questions and settings of positions."""

from decimal import Decimal

from plimsoll.core.model import Side
from plimsoll.simulator.brain.accounts import ISOLATED, Account
from plimsoll.simulator.brain.adl_rank import adl_rank
from plimsoll.simulator.brain.asking import Params, Result, category_of
from plimsoll.simulator.brain.booking import Bookkeeper
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.filters import number_of
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.funds import covers_positions, removable_margin
from plimsoll.simulator.brain.ledger import Position
from plimsoll.simulator.brain.liq_price import liquidation_price
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.margin import free_coin, tier_for, totals_of
from plimsoll.simulator.brain.money_rows import position_row
from plimsoll.simulator.brain.numbers import ZERO, floor8, text_of
from plimsoll.simulator.brain.order_rows import Row
from plimsoll.simulator.brain.paging import matches, page_of, window_of


def positions(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/position/list``: a symbol always has a row, a settle coin open ones only."""
    category = category_of(params)
    if category == "spot":
        raise VenueRefusal(10001, "params error: category spot has no positions")
    symbol, settle = params.get("symbol"), params.get("settleCoin")
    if category == "linear" and not (symbol or settle):
        raise VenueRefusal(10001, "params error: symbol or settleCoin is needed")
    if symbol:
        found = [account.ledger.position(floor.listing(category, symbol))]
    else:
        held = account.ledger.positions.values() if category == "linear" else ()
        found = [p for p in held if p.lots and p.listing.instrument.settle == settle]
    numbered = [(len(found) - at, position) for at, position in enumerate(found)]
    page, cursor = page_of(numbered, params, most=200, usual=20)
    rows = [row for position in page for row in _rows(floor, account, position)]
    return {"category": category, "nextPageCursor": cursor, "list": rows}


def closed_pnl(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/position/closed-pnl``: one row per closing order, newest first."""
    category = category_of(params)
    first, last = window_of(params, now_ns // 1_000_000)
    kept = (*account.closed_pnl, *account.closing.values()) if category == "linear" else ()
    found = [
        (closed.serial, row)
        for closed in sorted(kept, key=lambda one: -one.serial)
        if first <= closed.updated_ms <= last and matches(params, row := closed.row(), ("symbol",))
    ]
    page, cursor = page_of(found, params, most=100, usual=50)
    return {"category": category, "nextPageCursor": cursor, "list": page}


def set_leverage(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/position/set-leverage``.

    Raises:
        VenueRefusal: 10001, 110013 outside what the tier allows, 110043 unchanged, 110006 where the
            larger margin is not covered.
    """
    listing = _linear(floor, params)
    if params.get("buyLeverage") != params.get("sellLeverage"):
        raise VenueRefusal(10001, "params error: buyLeverage must equal sellLeverage on linear")
    leverage = number_of(params, "buyLeverage")
    position = account.ledger.position(listing)
    tier = tier_for(account, position, floor.mark_of(listing.name))
    if not 1 <= leverage <= Decimal(tier.max_leverage):
        raise VenueRefusal(110013)
    if leverage % Decimal("0.01"):
        raise VenueRefusal(10001, "params error: leverage is not a multiple of 0.01")
    if position.leverage == leverage:
        raise VenueRefusal(110043)
    before, position.leverage = position.leverage, leverage
    holds = position.lots or account.orders.open_on(listing)
    if holds and leverage < before:
        if not covers_positions(account, totals_of(account, floor.quotes())):
            position.leverage = before
            raise VenueRefusal(110006)
    elif holds and _would_liquidate(floor, account, position):
        position.leverage = before
        raise VenueRefusal(110046)
    fields = {"event": "leverage", "symbol": listing.name, "leverage": text_of(leverage)}
    floor.record(now_ns, "config", account.uid, fields)
    _push(floor, account, listing, now_ns)
    return {}


def switch_mode(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/position/switch-mode``: one-way is the only mode that trades here."""
    mode = str(params.get("mode"))
    if mode not in ("0", "3"):
        raise VenueRefusal(10001, f"params error: mode invalid {mode!r}")
    if (mode == "3") == account.is_hedge:
        raise VenueRefusal(110025)
    if any(position.lots for position in account.ledger.positions.values()):
        raise VenueRefusal(110024)
    if any(not order.listing.is_spot for order in account.orders.open.values()):
        raise VenueRefusal(110028)
    if mode == "3":
        raise VenueRefusal(110029)
    account.is_hedge = False
    floor.record(now_ns, "config", account.uid, {"event": "position-mode", "mode": 0})
    return {}


def add_margin(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/position/add-margin``: isolated only; a negative amount takes margin back.

    Raises:
        VenueRefusal: 110015 cross, 110033 flat, 110027 nothing, 110012 more than is free, 110046
            more than may be taken back.
    """
    position = _isolated(floor, account, params)
    amount = number_of(params, "margin", signed=True)
    listing = position.listing
    if not amount or amount != floor8(amount):
        raise VenueRefusal(110027)
    total = totals_of(account, floor.quotes())
    if amount > free_coin(account, total, listing.instrument.settle):
        raise VenueRefusal(110012)
    if -amount > removable_margin(position, position.unrealised(floor.mark_of(listing.name))):
        raise VenueRefusal(110046)
    position.extra_margin += amount
    fields = {"event": "add-margin", "symbol": listing.name, "margin": text_of(amount)}
    floor.record(now_ns, "config", account.uid, fields)
    _push(floor, account, listing, now_ns)
    return _rows(floor, account, position)[0] | {"category": "linear"}


def set_auto_add_margin(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/position/set-auto-add-margin``: isolated only."""
    position = _isolated(floor, account, params)
    wanted = str(params.get("autoAddMargin"))
    if wanted not in ("0", "1"):
        raise VenueRefusal(10001, f"params error: autoAddMargin invalid {wanted!r}")
    if position.adds_margin == (wanted == "1"):
        raise VenueRefusal(110027)
    position.adds_margin = wanted == "1"
    fields = {"event": "auto-add-margin", "symbol": position.listing.name, "autoAddMargin": wanted}
    floor.record(now_ns, "config", account.uid, fields)
    return {}


def _rows(floor: Floor, account: Account, position: Position) -> list[Row]:
    """Return a position's rows: one, or in hedge mode one for each side."""
    quotes = floor.quotes()
    row = position_row(
        account,
        position,
        totals_of(account, quotes),
        quotes,
        adl_rank=adl_rank(floor.by_uid.values(), account, position, quotes),
        rest=True,
    )
    del row["category"]
    if not account.is_hedge:
        return [row]
    return [row | {"positionIdx": number} for number in (1, 2)]


def _would_liquidate(floor: Floor, account: Account, position: Position) -> bool:
    quotes = floor.quotes()
    total = totals_of(account, quotes)
    if account.margin_mode != ISOLATED:
        return total.is_liquidated
    price = liquidation_price(account, position, total, quotes) or ZERO
    mark = position.listing.price(quotes.mark_of(position.listing.name))
    return mark <= price if position.side is Side.BUY else bool(position.lots) and mark >= price


def _isolated(floor: Floor, account: Account, params: Params) -> Position:
    position = account.ledger.position(_linear(floor, params))
    if account.margin_mode != ISOLATED:
        raise VenueRefusal(110015)
    if not position.lots:
        raise VenueRefusal(110033)
    return position


def _linear(floor: Floor, params: Params) -> Listing:
    listing = floor.listing(params.get("category"), params.get("symbol"))
    if listing.is_spot:
        raise VenueRefusal(10001, "params error: category spot has no positions")
    return listing


def _push(floor: Floor, account: Account, listing: Listing, now_ns: int) -> None:
    Bookkeeper(floor, floor.markets[listing.name], now_ns).push_position(account, recorded=False)
