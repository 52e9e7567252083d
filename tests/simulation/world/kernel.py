"""Virtual time: events in a heap, each a plain call; nothing here waits for anything real.

Coroutines of the product are driven by hand: what they wait for is a ``Pause``, and whoever
finishes it runs them on. There is no asyncio.
"""

import heapq
from collections.abc import Callable, Coroutine, Generator
from typing import Any

Act = Callable[..., object]


class Event:
    """A call that is due at a time; cancelled it is forgotten where it lies."""

    __slots__ = ("act", "args")

    def __init__(self, act: Act, args: tuple[Any, ...]) -> None:
        self.act: Act | None = act
        self.args = args

    def cancel(self) -> None:
        """Let it never happen."""
        self.act = None
        self.args = ()


class Kernel:
    """The only clock and the only order of things. Equal times happen in the order asked for."""

    def __init__(self, start_ns: int) -> None:
        """Begin at a Unix time."""
        self.now_ns = start_ns
        self.start_ns = start_ns
        self.events = 0
        self._heap: list[tuple[int, int, Event]] = []
        self._asked = 0

    @property
    def now_s(self) -> float:
        """Return seconds since the start."""
        return (self.now_ns - self.start_ns) / 1e9

    def at(self, due_ns: int, act: Act, *args: Any) -> Event:
        """Call ``act`` at a time, now where that has passed."""
        event = Event(act, args)
        self._asked += 1
        heapq.heappush(self._heap, (max(due_ns, self.now_ns), self._asked, event))
        return event

    def after(self, delay_ns: int, act: Act, *args: Any) -> Event:
        """Call ``act`` some time from now."""
        return self.at(self.now_ns + delay_ns, act, *args)

    def run(self, until_ns: int, goes_on: Callable[[], bool] | None = None) -> None:
        """Let everything happen that is due before a time, as long as ``goes_on``."""
        heap = self._heap
        while heap and heap[0][0] < until_ns:
            due_ns, _, event = heapq.heappop(heap)
            act = event.act
            if act is None:
                continue
            self.now_ns = due_ns
            self.events += 1
            act(*event.args)
            if goes_on is not None and not goes_on():
                return
        self.now_ns = max(self.now_ns, until_ns)


class Pause:
    """Something a coroutine waits for: it ends once, with a value or an error."""

    __slots__ = ("error", "is_over", "value", "waiter")

    def __init__(self) -> None:
        self.is_over = False
        self.value: Any = None
        self.error: Exception | None = None
        self.waiter: Callable[[], None] | None = None

    def __await__(self) -> Generator["Pause", None, Any]:
        if not self.is_over:
            yield self
        if self.error is not None:
            raise self.error
        return self.value

    def end(self, value: object = None, error: Exception | None = None) -> None:
        """Let the waiter go on; a second end is none."""
        if self.is_over:
            return
        self.is_over, self.value, self.error = True, value, error
        waiter, self.waiter = self.waiter, None
        if waiter is not None:
            waiter()


class Work:
    """A coroutine under way."""

    __slots__ = ("ended", "is_over", "is_running", "name", "work")

    def __init__(
        self,
        work: Coroutine[Any, Any, None],
        name: str,
        ended: Callable[[Exception | None], None] | None = None,
    ) -> None:
        self.work = work
        self.name = name
        self.ended = ended
        self.is_over = self.is_running = False

    def step(self) -> None:
        """Run on to the next pause."""
        if self.is_over:
            return
        self.is_running = True
        try:
            pause = self.work.send(None)
        except StopIteration:
            self._end(None)
            return
        except Exception as error:
            if self.ended is None:
                raise
            self._end(error)
            return
        finally:
            self.is_running = False
        assert isinstance(pause, Pause), f"{self.name} waits for something outside the kernel"
        pause.waiter = self.step

    def cancel(self) -> None:
        """End it where it waits; whoever started it hears of that."""
        if not self.is_over:
            self.kill()
            self._end(None)

    def kill(self) -> None:
        """End it where it is; nobody hears of that."""
        self.is_over = True
        if not self.is_running:
            self.work.close()

    def _end(self, error: Exception | None) -> None:
        self.is_over = True
        if self.ended is not None:
            self.ended(error)
