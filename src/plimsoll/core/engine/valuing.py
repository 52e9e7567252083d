"""What positions, instances and the account are worth at the prices of now: asked, never kept."""

from plimsoll.core.engine.state import State
from plimsoll.core.portfolio import PAR


def unrealised(state: State, owner: str, instrument: str) -> int:
    """Return the open profit at the reference price, in quote cash units."""
    market = state.markets.get(instrument)
    if market is None:
        return 0
    return state.ledger.unrealised(owner, instrument, market.reference_ticks(state.ts_ns))


def profit_of(state: State, owner: str) -> int:
    """Return realised and open profit less fees and funding, in quote cash units."""
    return sum(
        held.realised_units
        - held.fee_units
        - held.funding_units
        + unrealised(state, owner, instrument)
        for (holder, instrument), held in state.ledger.positions.items()
        if holder == owner
    )


def firm_profit_of(state: State, owner: str) -> int | None:
    """Return the same at the newest prices, None while something held has had none yet."""
    total = 0
    for (holder, name), held in state.ledger.positions.items():
        if holder != owner:
            continue
        market = state.markets.get(name)
        ticks = market.newest_ticks(state.ts_ns) if market else 0
        if held.qty_units and not ticks:
            return None
        total += held.realised_units - held.fee_units - held.funding_units
        total += state.ledger.unrealised(owner, name, ticks)
    return total


def equity_of(state: State, owner: str) -> int:
    """Return an instance's capital plus its profit, in quote cash units."""
    capital = 0
    for strategy in state.settings.strategies if state.settings else ():
        if strategy.name == owner:
            capital = strategy.capital
    return capital + profit_of(state, owner)


def account_equity(state: State) -> int | None:
    """Return the live account's equity in USDT cash units: cash, coins, open profit.

    The coins of ``PAR`` count alike, every other coin once, at its first pair's price. None
    while something held has had no price yet: peak and baseline outlive the moment.
    """
    cash = state.ledger.cash
    total, counted = sum(cash.get(coin, 0) for coin in PAR), set(PAR)
    for name, instrument in state.instruments.items():
        market = state.markets.get(name)
        reference = market.newest_ticks(state.ts_ns) if market else 0
        base = 0
        if instrument.is_spot and instrument.base not in counted:
            counted.add(instrument.base)
            base = cash.get(instrument.base, 0)
        if not reference and (base or state.held_lots("", name)):
            return None
        if instrument.is_spot:
            if base:
                of_a_lot = instrument.notional_units(reference, 1)
                total += of_a_lot * base // instrument.base_units_per_lot
            continue
        total += state.ledger.net_unrealised(name, reference)
    return total


def worth_of(state: State, coin: str, units: int) -> int | None:
    """Return what coins are worth in quote cash units, counted as equity counts them.

    Returns:
        0 for a coin that counts in no equity, None where it does and has had no price yet.
    """
    if coin in PAR:
        return units
    for name, instrument in state.instruments.items():
        if instrument.is_spot and instrument.base == coin:
            market = state.markets.get(name)
            reference = market.newest_ticks(state.ts_ns) if market else 0
            per_lot = instrument.base_units_per_lot
            of_a_lot = instrument.notional_units(reference, 1)
            return of_a_lot * units // per_lot if reference else None
    return 0
