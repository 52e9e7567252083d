"""What was measured on recordings, as the parameters of the calibrated market.

Sources (parameters only, no data of theirs is here):

* ``PERP_MAJOR``: Binance USD-M BTCUSDT, depth, best prices and trades, 345 s, 2024-08-08.
* ``SPOT_MAJOR``: Binance spot BTCUSDT, the same, 346 s, 2024-08-08; its levels lie on a grid here.
* ``PERP_MINOR``: gaps and levels per message of eight Bybit perpetuals, 27 s, 2021-04-17; shape of
  the book from Bybit XRPUSDT, 500 levels, 5 s, 2024-12-01; its trades are an estimate.

Values are in USDT and basis points of the price, so that one profile serves every price.
"""

from typing import Final, NamedTuple


class Arrivals(NamedTuple):
    """Self-exciting arrivals (Hawkes, two exponential kernels), in events a second.

    ``orders`` take liquidity, ``quotes`` change it. Both have a base rate and grow with the
    excitement; each order adds ``order_raise`` to it, each quote ``quote_raise``. The excitement
    fades with a fast and a slow rate; ``fast_share`` of it is fast.
    """

    orders_base: float
    orders_pull: float
    quotes_base: float
    quotes_pull: float
    order_raise: float
    quote_raise: float
    fast_per_s: float
    slow_per_s: float
    fast_share: float


class Band(NamedTuple):
    """Prices up to a distance from the best of their side.

    ``share`` of the level changes fall here; ``presence`` of the prices hold a level; a change of
    a level deletes it with probability ``deleting``, else its value is drawn anew: lognormal with
    this median (USDT) and deviation of the logarithm.
    """

    to_bp: float
    share: float
    presence: float
    deleting: float
    value: float
    sigma: float


class Profile(NamedTuple):
    """One kind of instrument. Pairs are median and deviation of the logarithm."""

    arrivals: Arrivals
    grid_bp: float
    """Distance of neighbouring prices that may hold a level; at least one tick."""
    bands: tuple[Band, ...]
    touch: tuple[float, float]
    """Value at the best prices, USDT."""
    touch_share: float
    """Probability that a quote also changes a best price's quantity."""
    levels: tuple[float, float]
    """Levels a quote changes."""
    order: tuple[float, float]
    """Value of an order that takes liquidity, USDT."""
    prints: tuple[float, float]
    """Prints such an order causes."""
    move_share: float
    """Probability that it sweeps the best price away."""
    move_bp: tuple[float, float]
    """How far the best price then moves."""
    persistence: float = 0.8
    """Probability that an order repeats the side of one of the last twenty."""


PERP_MAJOR: Final = Profile(
    arrivals=Arrivals(2.4, 0.848, 95.0, 6.0, 1.0, 0.0, 574.0, 3.3, 0.326),
    grid_bp=0.0162,
    bands=(
        Band(0.3, 0.018, 0.17, 0.75, 6_000, 1.5),
        Band(1.0, 0.057, 0.28, 0.62, 6_000, 1.5),
        Band(2.0, 0.100, 0.47, 0.43, 5_000, 1.5),
        Band(5.0, 0.280, 0.67, 0.26, 5_300, 1.5),
        Band(10.0, 0.276, 0.70, 0.22, 5_800, 1.7),
        Band(25.0, 0.230, 0.64, 0.21, 7_300, 1.7),
        Band(35.0, 0.039, 0.28, 0.37, 10_000, 1.7),
    ),
    touch=(150_000, 1.2),
    touch_share=0.8,
    levels=(2.4, 1.2),
    order=(1_500, 2.0),
    prints=(0.74, 1.6),
    move_share=0.09,
    move_bp=(0.33, 1.1),
)

SPOT_MAJOR: Final = Profile(
    arrivals=Arrivals(1.42, 0.848, 50.0, 6.0, 1.0, 0.0, 574.0, 3.3, 0.326),
    grid_bp=0.0225,
    bands=(
        Band(1.0, 0.180, 0.30, 1.0, 2_500, 1.4),
        Band(2.0, 0.107, 0.43, 1.0, 4_000, 1.4),
        Band(5.0, 0.252, 0.55, 1.0, 4_000, 1.4),
        Band(10.0, 0.168, 0.58, 1.0, 3_100, 1.4),
        Band(25.0, 0.272, 0.60, 1.0, 3_000, 1.4),
        Band(35.0, 0.021, 0.26, 1.0, 3_000, 1.4),
    ),
    touch=(70_000, 1.3),
    touch_share=0.6,
    levels=(1.0, 1.2),
    order=(190, 2.2),
    prints=(0.74, 1.4),
    move_share=0.09,
    move_bp=(0.38, 1.1),
    persistence=0.9,
)

PERP_MINOR: Final = Profile(
    arrivals=Arrivals(0.4, 0.018, 7.68, 0.336, 1.0, 1.0, 6537.0, 8.6, 0.348),
    grid_bp=0.5,
    bands=(
        Band(5.0, 0.30, 1.0, 0.006, 13_000, 0.9),
        Band(10.0, 0.20, 1.0, 0.006, 30_000, 0.9),
        Band(25.0, 0.25, 1.0, 0.006, 40_000, 0.9),
        Band(100.0, 0.25, 1.0, 0.006, 40_000, 0.9),
    ),
    touch=(10_000, 0.7),
    touch_share=0.6,
    levels=(3.7, 0.95),
    order=(300, 1.8),
    prints=(0.74, 1.0),
    move_share=0.5,
    move_bp=(0.5, 0.4),
)


def profile_of(category: str, base: str) -> Profile:
    """Return the profile of an instrument: the large coins have one, all others another."""
    if base not in ("BTC", "ETH"):
        return PERP_MINOR
    return SPOT_MAJOR if category == "spot" else PERP_MAJOR
