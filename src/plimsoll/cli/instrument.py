"""``instrument``: what the venue says of one instrument, and what an order in it costs at least."""

from collections.abc import Awaitable
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from plimsoll.cli import text
from plimsoll.cli.asking import ask
from plimsoll.cli.exits import Exit
from plimsoll.cli.output import print_json
from plimsoll.config.project import load_project
from plimsoll.venues.bybit.api import BybitClient, CallFailed
from plimsoll.venues.bybit.api.market_rows import (
    LinearInstrument,
    LinearTicker,
    PriceLimit,
    RiskTier,
    SpotInstrument,
    SpotTicker,
)
from plimsoll.venues.bybit.errors import UnknownInstrument, VenueUnreachable
from plimsoll.venues.bybit.listing import split_name
from plimsoll.venues.bybit.rest import End

FoundT = TypeVar("FoundT")

_TIERS_SHOWN: Final = 5
_ZERO: Final = Decimal(0)


class Facts(msgspec.Struct, kw_only=True):
    """Everything asked about an instrument; ``missing`` says why a part could not be had."""

    name: str
    listed: LinearInstrument | SpotInstrument
    ticker: LinearTicker | SpotTicker | None = None
    limit: PriceLimit | None = None
    taker: Decimal | None = None
    maker: Decimal | None = None
    tiers: list[RiskTier] = []
    missing: dict[str, str] = {}


def instrument(project: str, env: str, *, json: bool, name: str) -> Exit:
    """Print filters, fees, prices, funding, limits and tiers.

    Returns:
        DONE, or UNHEALTHY where a part could not be had.

    Raises:
        ConfigError: the project cannot be used.
        Failure: the venue does not answer, or knows no such instrument.
    """
    found = load_project(Path(project), env)
    has_key = bool(found.settings.account.key)

    async def work(client: BybitClient) -> Facts:
        return await facts_of(client, name, has_key=has_key)

    facts = ask(found, work)
    if json:
        print_json(document(facts))
    else:
        print(page(facts))
    return Exit.UNHEALTHY if facts.missing else Exit.DONE


async def facts_of(client: BybitClient, name: str, *, has_key: bool) -> Facts:
    """Ask for everything about an instrument.

    Raises:
        UnknownInstrument: there is none of this name.
        VenueUnreachable: the venue stopped answering.
        CallFailed: the list of instruments could not be had.
    """
    category, symbol = split_name(name)
    facts = Facts(name=name, listed=await _listed(client, category, symbol))
    market = client.market
    facts.limit = await _part(facts, "price_limit", market.price_limit(category, symbol))
    if category == "linear":
        tickers = await _part(facts, "ticker", market.linear_tickers(symbol))
        facts.ticker = tickers[0] if tickers else None
        facts.tiers = await _part(facts, "risk_tiers", market.risk_tiers(symbol)) or []
    else:
        pairs = await _part(facts, "ticker", market.spot_tickers(symbol))
        facts.ticker = pairs[0] if pairs else None
    if has_key:
        rates = await _part(facts, "fee_rates", client.account.fee_rates(category, symbol)) or []
        for rate in rates:
            facts.taker, facts.maker = rate.taker, rate.maker
    return facts


async def _listed(
    client: BybitClient, category: str, symbol: str
) -> LinearInstrument | SpotInstrument:
    found: list[LinearInstrument] | list[SpotInstrument] = []
    try:
        if category == "linear":
            found = await client.market.linear_instruments(symbol)
        else:
            found = await client.market.spot_instruments(symbol)
    except CallFailed as failed:
        if failed.answer.code != 10001:  # the symbol is not valid
            raise
    for listed in found:
        if listed.symbol == symbol:
            return listed
    where = client.rest.settings.rest_url
    raise UnknownInstrument(f"{category}:{symbol}: {where} trades no such instrument")


async def _part(facts: Facts, what: str, asked: Awaitable[FoundT]) -> FoundT | None:
    """Return a part, or note why it could not be had; a venue that is gone ends the command."""
    try:
        return await asked
    except CallFailed as failed:
        if failed.answer.end in (End.BROKEN, End.BANNED, End.NOT_SENT):
            raise VenueUnreachable(str(failed)) from failed
        facts.missing[what] = failed.answer.reason
        return None


# ---- what follows from it --------------------------------------------------------------------


def reference_price(facts: Facts) -> Decimal | None:
    """Return the mark price, of spot the last one."""
    ticker = facts.ticker
    if isinstance(ticker, LinearTicker):
        return ticker.mark_price or ticker.last_price
    return ticker.last_price if ticker is not None else None


def least_order(facts: Facts) -> tuple[Decimal, Decimal] | None:
    """Return (quantity, value in quote coin) of the smallest order at the reference price."""
    price = reference_price(facts)
    if not price:
        return None
    lots = facts.listed.lot_filter
    least = max(lots.min_qty or _ZERO, (lots.min_notional or _ZERO) / price, lots.lot_size)
    qty = (least / lots.lot_size).to_integral_value(ROUND_CEILING) * lots.lot_size
    return qty, qty * price


def capital_step(facts: Facts) -> Decimal | None:
    """Return what one lot is worth in quote coin: the finest step of a position's value."""
    price = reference_price(facts)
    return price * facts.listed.lot_filter.lot_size if price else None


def document(facts: Facts) -> dict[str, Any]:
    """Return the facts as JSON: numbers as exact text, None where there is none."""
    least, step = least_order(facts), capital_step(facts)
    fees = {"taker": facts.taker, "maker": facts.maker}
    parts: dict[str, Any] = {
        "instrument": facts.name,
        "listed": facts.listed,
        "ticker": facts.ticker,
        "price_limit": facts.limit,
        "fees": fees,
        "least_order": {"qty": least[0], "value": least[1]} if least else None,
        "capital_step": step,
        "risk_tiers": facts.tiers,
        "missing": facts.missing,
    }
    found: dict[str, Any] = msgspec.to_builtins({name: _own(part) for name, part in parts.items()})
    return found


def _own(part: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a row under our names instead of the venue's."""
    if isinstance(part, msgspec.Struct):
        return {name: _own(getattr(part, name)) for name in part.__struct_fields__}
    if isinstance(part, Decimal):
        return format(part, "f")
    if isinstance(part, dict):
        return {name: _own(one) for name, one in part.items()}
    return [_own(one) for one in part] if isinstance(part, list | tuple) else part


def page(facts: Facts) -> str:
    """Return the facts as a table, most useful first."""
    rows = [(name, _text(value)) for name, value in _lines(facts)]
    rows += [(what, f"not to be had: {reason}") for what, reason in facts.missing.items()]
    lines = [text.table(("what", "value"), rows)]
    if facts.tiers:
        titles = ("tier", ">up to", ">leverage", ">initial", ">maintenance")
        shown = facts.tiers[:_TIERS_SHOWN]
        tiers = [tuple(map(_text, _tier(tier))) for tier in shown]
        lines += ["", "risk tiers, margins as the venue writes them", text.table(titles, tiers)]
        if len(facts.tiers) > len(shown):
            lines.append(f"and {len(facts.tiers) - len(shown)} more: --json lists them all")
    return "\n".join(lines)


def _lines(facts: Facts) -> list[tuple[str, Any]]:
    listed, quote = facts.listed, facts.listed.quote
    lots, least, ticker = listed.lot_filter, least_order(facts), facts.ticker
    lines: list[tuple[str, Any]] = [
        ("instrument", f"{facts.name} ({listed.status})"),
        ("least order", _amount(least[0], listed.base) if least else None),
        ("  its value", _amount(least[1], quote) if least else None),
        ("smallest step of capital", _amount(capital_step(facts), quote)),
        ("last price", ticker.last_price if ticker else None),
    ]
    if isinstance(ticker, LinearTicker) and isinstance(listed, LinearInstrument):
        lines += [("mark price", ticker.mark_price), ("index price", ticker.index_price)]
        lines += _funding(ticker, listed)
    if facts.limit is not None:
        lines += [("highest bid taken", facts.limit.highest_bid)]
        lines += [("lowest ask taken", facts.limit.lowest_ask)]
    lines += [
        ("taker fee", _percent(facts.taker)),
        ("maker fee", _percent(facts.maker)),
        ("tick size", listed.price_filter.tick_size),
        ("lot size", lots.lot_size),
        ("least quantity", lots.min_qty),
        ("least value", _amount(lots.min_notional, quote)),
        ("most in a limit order", lots.max_qty),
        ("most in a market order", lots.max_market_qty),
    ]
    if isinstance(listed, LinearInstrument):
        lines.append(("most leverage", listed.leverage_filter.max_leverage))
    return lines


def _funding(ticker: LinearTicker, listed: LinearInstrument) -> list[tuple[str, Any]]:
    hours = ticker.funding_hours or Decimal(listed.funding_minutes) / 60
    return [
        ("funding rate", _percent(ticker.funding_rate)),
        ("funding interval", f"{hours.normalize():f} h"),
        ("next funding", _moment(ticker.next_funding_ms)),
    ]


def _tier(tier: RiskTier) -> tuple[Any, ...]:
    margins = (tier.initial_margin, tier.maintenance_margin)
    return (tier.tier, tier.max_value, tier.max_leverage, *margins)


def _text(value: object) -> str:
    if value is None or value == "":
        return "-"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _amount(number: Decimal | None, coin: str) -> str | None:
    return None if number is None else f"{number.normalize():f} {coin}"


def _percent(rate: Decimal | None) -> str | None:
    return None if rate is None else f"{(rate * 100).normalize():f} %"


def _moment(at_ms: int | None) -> str | None:
    if not at_ms:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
