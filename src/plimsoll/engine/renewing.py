"""New code of a strategy, loaded beside the order path: what is broken never touches what runs.

The import runs in a thread of its own and has a deadline. One that does not end is told to, and the
reload is refused; the loop goes on meanwhile, at worst sharing the interpreter with it.
"""

import asyncio
import ctypes
import threading
from collections.abc import Callable
from typing import Final

from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy.turns import Cut

PATIENCE_S: Final = 10.0
"""Seconds an import may take."""


class Renewing:
    """Loads one instance's code at a time, and knows what was loaded."""

    def __init__(
        self, renew: Callable[[StrategySettings], None], patience_s: float = PATIENCE_S
    ) -> None:
        """Share what loads; it raises with words where the code will not do."""
        self._renew = renew
        self._patience_s = patience_s
        self._loaded: set[tuple[str, str]] = set()
        self._thread: threading.Thread | None = None

    def has(self, settings: StrategySettings) -> bool:
        """Return whether this very code was loaded: it is at hand, for each book of a strategy."""
        return (settings.source, settings.source_hash) in self._loaded

    async def load(self, settings: StrategySettings) -> str:
        """Load the code of an instance; return why it will not do, empty where it is at hand."""
        if self._thread is not None and self._thread.is_alive():
            return "code that was to be loaded before does not end; try again in a while"
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str] = loop.create_future()

        def tell(reason: str) -> None:
            if not done.done():
                done.set_result(reason)

        def work() -> None:
            reason = self._load(settings)
            if not loop.is_closed():
                loop.call_soon_threadsafe(tell, reason)

        self._thread = threading.Thread(target=work, name="new-code", daemon=True)
        self._thread.start()
        try:
            reason = await asyncio.wait_for(done, self._patience_s)
        except TimeoutError:
            self._end(self._thread)
            return f"{settings.source} did not load within {self._patience_s:g} s: it was given up"
        if not reason:
            self._loaded.add((settings.source, settings.source_hash))
        return reason

    def _load(self, settings: StrategySettings) -> str:
        try:
            self._renew(settings)
        except BaseException as error:  # the new code's own: anything may come out of it
            return str(error) or repr(error)
        return ""

    def _end(self, thread: threading.Thread) -> None:
        """Raise inside an import that does not end; code in C hears it when it comes back."""
        if thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident), ctypes.py_object(Cut)
            )
