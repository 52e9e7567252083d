"""The indicators a strategy may ask for: made and warmed at the first call, kept from there on."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from plimsoll.core.strategy.indicators import (
    Adx,
    Atr,
    Bollinger,
    Donchian,
    Ema,
    Macd,
    Obv,
    Roc,
    Rsi,
    Sma,
    StandardDeviation,
    Stochastic,
    Vwap,
    Wma,
)

_Made = TypeVar("_Made")


class IndicatorPort(Protocol):
    """Where indicators are kept; implemented by ``Desk``."""

    indicators: dict[tuple[Any, ...], Any]
    """Those made so far, by kind, instrument, frame and terms."""

    def indicator(
        self,
        kind: str,
        instrument: str,
        frame: str,
        terms: tuple[float, ...],
        make: Callable[[], Any],
    ) -> Any:  # noqa: ANN401 - whatever ``make`` makes
        """Return the indicator kept under these terms, made and warmed when first asked for."""
        ...


class Indicating:
    """What ``Strategy`` has of indicators: each of an instrument and a declared frame.

    The first call makes one and feeds it the bars kept so far; from there on it has taken every
    closed bar before ``on_bar`` hears it, and a restart goes on with it. Look at ``is_ready``.
    """

    _port: IndicatorPort

    def sma(self, instrument: str, frame: str, period: int) -> Sma:
        """Return the simple average of the closes."""
        found: Sma | None = self._port.indicators.get(("sma", instrument, frame, period))
        return found if found is not None else self._kept(Sma, "sma", instrument, frame, period)

    def ema(self, instrument: str, frame: str, period: int) -> Ema:
        """Return the exponential average of the closes."""
        found: Ema | None = self._port.indicators.get(("ema", instrument, frame, period))
        return found if found is not None else self._kept(Ema, "ema", instrument, frame, period)

    def wma(self, instrument: str, frame: str, period: int) -> Wma:
        """Return the average of the closes in which newer ones weigh more."""
        return self._kept(Wma, "wma", instrument, frame, period)

    def macd(
        self, instrument: str, frame: str, fast: int = 12, slow: int = 26, smooth: int = 9
    ) -> Macd:
        """Return the difference of two averages: ``value``, ``signal``, ``histogram``."""
        return self._kept(Macd, "macd", instrument, frame, fast, slow, smooth)

    def vwap(self, instrument: str, frame: str, period: int = 0) -> Vwap:
        """Return the average price by volume: of ``period`` bars, or with 0 of the UTC day."""
        return self._kept(Vwap, "vwap", instrument, frame, period)

    def rsi(self, instrument: str, frame: str, period: int = 14) -> Rsi:
        """Return the relative strength index of the closes."""
        return self._kept(Rsi, "rsi", instrument, frame, period)

    def stochastic(
        self, instrument: str, frame: str, period: int = 14, smooth: int = 3, average: int = 3
    ) -> Stochastic:
        """Return the place of the close in the range: ``value`` is %K, ``signal`` %D."""
        return self._kept(Stochastic, "stochastic", instrument, frame, period, smooth, average)

    def roc(self, instrument: str, frame: str, period: int = 10) -> Roc:
        """Return the change of the close over ``period`` bars, in per cent."""
        return self._kept(Roc, "roc", instrument, frame, period)

    def obv(self, instrument: str, frame: str) -> Obv:
        """Return the on-balance volume."""
        return self._kept(Obv, "obv", instrument, frame)

    def deviation(self, instrument: str, frame: str, period: int) -> StandardDeviation:
        """Return the standard deviation of the closes, and their ``mean``."""
        return self._kept(StandardDeviation, "deviation", instrument, frame, period)

    def bollinger(
        self, instrument: str, frame: str, period: int = 20, width: float = 2.0
    ) -> Bollinger:
        """Return the bands around the average of the closes: ``upper``, ``value``, ``lower``."""
        return self._kept(Bollinger, "bollinger", instrument, frame, period, float(width))

    def donchian(self, instrument: str, frame: str, period: int = 20) -> Donchian:
        """Return the channel of highs and lows: ``upper``, ``value``, ``lower``."""
        return self._kept(Donchian, "donchian", instrument, frame, period)

    def atr(self, instrument: str, frame: str, period: int = 14) -> Atr:
        """Return the average true range."""
        return self._kept(Atr, "atr", instrument, frame, period)

    def adx(self, instrument: str, frame: str, period: int = 14) -> Adx:
        """Return the strength of the trend: ``value``, ``plus``, ``minus``."""
        return self._kept(Adx, "adx", instrument, frame, period)

    def _kept(
        self, make: Callable[..., _Made], kind: str, instrument: str, frame: str, *terms: float
    ) -> _Made:
        port = self._port
        made: _Made | None = port.indicators.get((kind, instrument, frame, *terms))
        if made is None:
            made = port.indicator(kind, instrument, frame, terms, lambda: make(*terms))
        return made
