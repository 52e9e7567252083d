"""What a stop covers: the whole account, an instance, an instrument, or one instance on one."""

from typing import Final, NamedTuple

from plimsoll.core.model.books import live_name

_STRATEGY: Final = "strategy:"
_INSTRUMENT: Final = "instrument:"
_ON: Final = "/"
SCOPE_FORMS: Final = (
    "nothing for the account, strategy:NAME, instrument:linear:BTCUSDT, "
    "or strategy:NAME/linear:BTCUSDT"
)
"""The ways a scope is written, for whoever wrote another."""


class Scope(NamedTuple):
    """Empty owner: whoever it is. Empty instrument: all of them. Both empty: the account."""

    owner: str = ""
    instrument: str = ""

    def covers(self, owner: str, instrument: str) -> bool:
        """Return whether an order or position of this owner in this instrument is inside.

        A strategy's name covers its live book, whatever that is called: who stops it by its name
        means what trades.
        """
        is_inside = self.owner in ("", owner) or owner == live_name(self.owner)
        return is_inside and self.instrument in ("", instrument)

    @property
    def text(self) -> str:
        """Return it as records and commands write it; ``scope_of`` reads it back."""
        if self.owner:
            on = f"{_ON}{self.instrument}" if self.instrument else ""
            return f"{_STRATEGY}{self.owner}{on}"
        return f"{_INSTRUMENT}{self.instrument}" if self.instrument else ""

    @property
    def words(self) -> str:
        """Return it for people."""
        return self.text or "the account"


ACCOUNT: Final = Scope()


def scope_of(text: str) -> Scope:
    """Return the scope a text names; whether there is such an instance is not looked at.

    Raises:
        ValueError: it is none of ``SCOPE_FORMS``.
    """
    if text in ("", "account"):
        return ACCOUNT
    if text.startswith(_STRATEGY):
        owner, on, instrument = text.removeprefix(_STRATEGY).partition(_ON)
        if owner and (not on or _is_name(instrument)):
            return Scope(owner, instrument)
    elif text.startswith(_INSTRUMENT) and _is_name(text.removeprefix(_INSTRUMENT)):
        return Scope("", text.removeprefix(_INSTRUMENT))
    raise ValueError(f"{text!r} is no scope: write {SCOPE_FORMS}")


def _is_name(instrument: str) -> bool:
    category, colon, symbol = instrument.partition(":")
    return bool(category and colon and symbol)
