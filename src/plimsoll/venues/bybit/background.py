"""Keeps hold of the work a venue starts: none is lost, none fails unheard, all end at close."""

from collections.abc import Coroutine
from functools import partial
from typing import Any

from plimsoll.websocket import LoopShell, Shell
from plimsoll.websocket.shell import Work


class Background:
    """What runs beside everything else for one venue object."""

    def __init__(self, shell: Shell | None = None) -> None:
        self._shell = shell or LoopShell()
        self._works: dict[int, Work] = {}
        self._started = 0

    def __len__(self) -> int:
        return len(self._works)

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run ``work`` beside everything else."""
        self._started += 1
        number = self._started
        self._works[number] = self._shell.start(work, name, partial(self._done, number, name))

    async def close(self) -> None:
        """Cancel what still runs and wait for its end."""
        await self._shell.end(list(self._works.values()))
        self._works.clear()

    def _done(self, number: int, name: str, error: Exception | None) -> None:
        self._works.pop(number, None)
        if error is not None:
            self._shell.surface(f"background task {name} failed", error)
