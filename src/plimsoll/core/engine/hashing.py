"""Two hashes of a state: the books in neutral form, and everything (design: 5.5)."""

from hashlib import sha256

import msgspec

from plimsoll.core.engine.state import State

_ENCODE = msgspec.msgpack.Encoder(order="deterministic").encode


def books_hash(state: State) -> str:
    """Return a hash of orders, positions and balances that is equal across releases."""
    rows = sorted(
        [
            order.id,
            order.owner,
            order.instrument,
            str(order.side),
            str(order.state),
            order.price_ticks,
            order.qty_lots,
            order.filled_lots,
        ]
        for order in state.orders.working.values()
    )
    return _short({"orders": rows, "books": state.ledger.neutral(state.paper_owners)})


def state_hash(state: State, desks: dict[str, bytes]) -> str:
    """Return a hash of everything that decides what happens next; comparable within one build.

    ``desks``: saved state of each strategy instance.
    """
    safety = state.safety
    return _short(
        {
            "books": books_hash(state),
            "orders": [msgspec.to_builtins(order) for order in state.orders.working.values()],
            "epoch": state.epoch,
            "counter": state.ids.counter,
            "halts": sorted([*scope, halt] for scope, halt in safety.halts.items()),
            "pauses": sorted([*scope, pause] for scope, pause in safety.pauses.items()),
            "flattens": sorted(state.flattens),
            "faulty": sorted(state.faulty.items()),
            "modes": [
                [
                    *(one.strategy, str(one.mode), str(one.stage), str(one.configured), one.seq),
                    *(one.policy, one.cap_units, one.evidence, one.fell),
                ]
                for one in state.modes.standings.values()
            ],
            "blocks": sorted(safety.blocks.items()),
            "observed": sorted(safety.observed.items()),
            "wallet_doubt": safety.wallet_doubt,
            "causes": sorted(
                [coin, name, cause.units, cause.entries]
                for coin, causes in state.ledger.causes.items()
                for name, cause in causes.items()
            ),
            "funding": sorted(
                [*key, held.funding_units, held.funded_ms]
                for key, held in state.ledger.positions.items()
                if held.funding_units or held.funded_ms  # who asks for a position may make one
            ),
            "funding_owed": [
                [seq, msgspec.to_builtins(owed)] for seq, owed in state.funding_owed.items()
            ],
            "wishes": sorted(state.protections.wishes.items()),
            "protections": [
                [name, msgspec.to_builtins(one)]
                for name, one in sorted(state.protections.at_venue.items())
            ],
            "losses": [state.losses.equity, state.losses.baseline, state.losses.peak],
            "own_losses": sorted(
                (name, msgspec.to_builtins(own)) for name, own in state.own_losses.items()
            ),
            "streaks": sorted(
                (*key, msgspec.to_builtins(streak)) for key, streak in state.streaks.items()
            ),
            "habits": sorted(
                [owner, name, habit.now, len(habit.usual), sum(habit.usual)]
                for owner, one in state.habits.items()
                for name, habit in one.measures.items()
            ),
            "trips": [msgspec.to_builtins(trip) for trip in state.trips.active.values()],
            "trip_days": sorted((*key, *days) for key, days in state.trips.days.items()),
            "standings": sorted(
                (name, msgspec.to_builtins(one)) for name, one in state.stages.items()
            ),
            "limits": sorted((*key, value) for key, value in state.limits.changes.items()),
            "parameters": msgspec.to_builtins(state.changes.parameters),
            "signals": {who: list(taken) for who, taken in state.changes.signals.items()},
            "markets": [
                [
                    name,
                    market.bid_ticks,
                    market.ask_ticks,
                    market.last,
                    market.mark,
                    market.fault or "",
                    market.silence.learned_ns(),
                ]
                for name, market in sorted(state.markets.items())
            ],
            "desks": sorted(desks.items()),
        }
    )


def _short(content: object) -> str:
    return sha256(_ENCODE(content)).hexdigest()[:32]
