"""From sums and buckets to figures, each with its n or with why it is not told."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from plimsoll.core.execution.quality.catalogue import METRICS, Metric
from plimsoll.core.execution.quality.cell import HORIZONS_S, Cell, Cost, Key, Times


class Measured(NamedTuple):
    """One metric of some orders."""

    metric: Metric
    n: int
    figures: Mapping[str, float | None]
    """By name; None where n is too small for it."""

    @property
    def reason(self) -> str:
        """Return why figures are missing, empty where none is."""
        missing = [one for one in self.metric.figures if self.figures[one.name] is None]
        if not missing:
            return ""
        least = min(one.least for one in missing)
        if len(self.metric.figures) == 1:
            return f"needs n {least}"
        which = [one.name for one in missing if one.least == least]
        return f"{' and '.join(which)} need{'s' if len(which) == 1 else ''} n {least}"


def measured(cell: Cell) -> list[Measured]:
    """Return every metric of the catalogue, in its order."""
    found = []
    for metric in METRICS.values():
        n, read = _READERS[metric.name](cell)
        figures = {one.name: read(one.name) if n >= one.least else None for one in metric.figures}
        found.append(Measured(metric, n, figures))
    return found


def merged(cells: Iterable[Cell]) -> Cell:
    """Return one cell that holds what all of them do."""
    found = Cell()
    for cell in cells:
        found.merge(cell)
    return found


def totals(cells: Mapping[Key, Cell]) -> dict[bool, Cell]:
    """Return the sums over everything, of paper (True) and live orders apart."""
    modes = dict.fromkeys(key.is_paper for key in cells)
    return {
        is_paper: merged(cell for key, cell in cells.items() if key.is_paper is is_paper)
        for is_paper in modes
    }


_Read = Callable[[str], float | None]
_QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def _cost(cost: Cost) -> tuple[int, _Read]:
    return (
        cost.n,
        lambda name: cost.mean_bps if name == "mean" else cost.quantile_bps(_QUANTILES[name]),
    )


def _times(times: Times) -> tuple[int, _Read]:
    def read(name: str) -> float | None:
        found = times.quantile_us(_QUANTILES[name])
        return None if found is None else found / 1_000

    return times.n, read


def _share(part: int, whole: int, n: int) -> tuple[int, _Read]:
    return n, lambda _name: part / whole if whole else None


def _count(count: int, n: int) -> tuple[int, _Read]:
    return n, lambda _name: float(count)


def _markout(place: int) -> Callable[[Cell], tuple[int, _Read]]:
    return lambda cell: _cost(cell.markouts[place])


def _fees(cell: Cell) -> tuple[int, _Read]:
    return _share(cell.fee_units * 10_000, cell.fee_worth_units, cell.fee_fills)


_READERS: Final[Mapping[str, Callable[[Cell], tuple[int, _Read]]]] = {
    "slippage_decision": lambda cell: _cost(cell.decision),
    "slippage_arrival": lambda cell: _cost(cell.arrival),
    "slippage_fill": lambda cell: _cost(cell.at_fill),
    **{f"markout_{seconds}s": _markout(place) for place, seconds in enumerate(HORIZONS_S)},
    "fees": _fees,
    "maker_share": lambda cell: _share(cell.maker_units, cell.worth_units, cell.fills),
    "fill_ratio": lambda cell: _share(cell.filled_units, cell.asked_units, cell.ended),
    "cancel_rate": lambda cell: _share(cell.canceled, cell.ended, cell.ended),
    "time_to_ack": lambda cell: _times(cell.ack),
    "time_to_first_fill": lambda cell: _times(cell.first_fill),
    "time_to_full_fill": lambda cell: _times(cell.full_fill),
    "execution_success": lambda cell: _share(
        cell.requests - cell.failed, cell.requests, cell.requests
    ),
    "reject_rate": lambda cell: _share(cell.rejected, cell.requests, cell.requests),
    "unknown": lambda cell: _count(cell.unknown, cell.requests),
    "denied": lambda cell: _count(cell.denied, cell.denied),
}
