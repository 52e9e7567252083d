"""The journal of one engine: two logs with one sequence, and the threads that look after them."""

from collections.abc import Callable
from pathlib import Path

from plimsoll.journal.errors import JournalError
from plimsoll.journal.forcer import Forcer
from plimsoll.journal.layout import MARKET, TRADING
from plimsoll.journal.settings import JournalSettings
from plimsoll.journal.tidying import Tidier
from plimsoll.journal.writer import LogWriter, open_log

Append = Callable[[int, int, int, bytes], None]
"""``(seq, ts_ns, kind, payload)``, see `LogWriter.append`."""


class Journal:
    """Both logs, open for append by the one engine of an account.

    Attributes:
        trading: Append to the trading log. Bound to its writer, to spare the order path a call.
        market: Append to the market log.
        notes: What opening cut or found missing, for the operator.
    """

    def __init__(
        self, directory: Path, trading: LogWriter, market: LogWriter, settings: JournalSettings
    ) -> None:
        """Join two open logs; use `open`."""
        self.trading: Append = trading.append
        self.market: Append = market.append
        self.notes = trading.recovery.notes + market.recovery.notes
        self.last_epoch = max(trading.recovery.epoch, market.recovery.epoch)
        self._trading, self._market = trading, market
        self._waits = settings.sync == "disk"
        pauses = ((trading, settings.trading_force_s), (market, settings.market_force_s))
        self._tidier = Tidier(market, settings)
        self._forcer = Forcer(directory, pauses, settings, self._tidier.make_room)
        self._forcer.start()
        self._tidier.start()

    @classmethod
    def open(
        cls, directory: Path, account: str, epoch: int, settings: JournalSettings | None = None
    ) -> "Journal":
        """Open the journal in ``directory`` for the session ``epoch``, repairing torn tails.

        Raises:
            JournalDamaged: what is there is not what was written: do not trade.
            JournalError: another writer, another account, or an epoch from the past.
            OSError: the folder cannot be used.
        """
        settings = settings or JournalSettings()
        trading = open_log(
            directory,
            TRADING,
            account,
            epoch,
            segment_bytes=settings.trading_segment_bytes,
            has_reserve=True,
        )
        try:
            market = open_log(
                directory,
                MARKET,
                account,
                epoch,
                segment_bytes=settings.market_segment_bytes,
                may_drop=True,
            )
        except BaseException:
            trading.close()
            raise
        return cls(directory, trading, market, settings)

    @property
    def last_seq(self) -> int:
        """Highest seq on both logs; the next record gets one more."""
        return max(self._trading.last_seq, self._market.last_seq)

    @property
    def forced_seq(self) -> int:
        """Highest seq of the trading log known to be on disk."""
        return self._trading.forced_seq

    @property
    def failure(self) -> Exception | None:
        """The error after which nothing more is accepted, None while all is well.

        The market log may have holes: where it failed the trading log goes on, without new risk.
        """
        return self._trading.failure

    @property
    def market_failure(self) -> str:
        """Why market data is no longer logged, empty while it is."""
        failure = self._market.failure
        return f"{failure!r}: records are left out" if failure is not None else ""

    @property
    def low_space(self) -> bool:
        """Whether no new risk may be taken: too little space is left, or market data is lost."""
        return self._forcer.low_space or self._market.failure is not None

    @property
    def warn_space(self) -> bool:
        """Whether space is getting short (JRN-4)."""
        return self._forcer.warn_space

    def before_send(self) -> None:
        """Wait for the disk where ``sync = "disk"``; nothing to do where it is ``"kernel"``.

        Raises:
            JournalError: what was appended may not be on disk: do not send.
        """
        if self._waits:
            self.force_trading()

    def force_trading(self) -> None:
        """Return when everything appended to the trading log is on disk.

        Raises:
            JournalError: it may not be.
        """
        self._trading.force()

    def force(self) -> None:
        """Return when everything appended to both logs is on disk, or the market log has a hole.

        Raises:
            JournalError: it may not be.
        """
        self._trading.force()
        self._market.force()

    def close(self) -> None:
        """Stop the threads, force both logs and close them.

        Raises:
            JournalError: the last records may not be on disk.
        """
        errors = []
        closing = (self._forcer.stop, self._tidy, self._trading.close, self._market.close)
        for step in closing:
            try:
                step()
            except JournalError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def _tidy(self) -> None:
        """Drop what is too much of the market log, all but its newest segment being final now."""
        try:
            if self._market.failure is None:
                self._market.force()
        finally:
            self._tidier.stop()
