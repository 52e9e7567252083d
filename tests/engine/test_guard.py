"""A run of the past ends at a callback that does not return, and says where that was."""

import time

import pytest
from tests.properties.driver import Driver, Puppet, one_strategy, settings_of

from plimsoll.core.records import CallbackCut
from plimsoll.core.strategy.turns import Turns
from plimsoll.engine.guard import PAST_LIMIT_NS, CallbackHung, guarded

LIMIT_NS = 50_000_000


class Stuck(Puppet):
    """Never comes back from what it calls."""

    how = ""

    def on_book(self, market):
        if self.how:
            getattr(self, self.how)()

    def thinks(self):
        while True:
            pass

    def waits(self):
        time.sleep(600)


def until_cut(how, *others):
    """Play a book to it; raise what a run of the past raises."""
    stuck = Stuck()
    driver = Driver(settings_of(one_strategy()), load=lambda _one: stuck).live()
    stuck.how = how
    turns = (driver.core.turns, *others)
    with guarded(LIMIT_NS, *turns):
        driver.book()
        (cut,) = driver.of(CallbackCut)
        raise CallbackHung(cut)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("others", [(), (Turns(),)])
def test_a_callback_that_loops_is_named_with_file_line_and_function(others):
    with pytest.raises(CallbackHung) as caught:
        until_cut("thinks", *others)
    hung = caught.value
    assert (hung.cut.owner, hung.cut.callback) == ("s", "on_book")
    path, _, rest = hung.place.rpartition(":")
    line, _, function = rest.partition(" in ")
    assert (path, function) == (__file__, "thinks")
    with open(__file__) as file:
        assert file.read().splitlines()[int(line) - 1].strip() in ("while True:", "pass")
    assert hung.used.startswith("used the processor for 0.")


@pytest.mark.timeout(60)
def test_one_that_only_waits_is_told_as_such():
    with pytest.raises(CallbackHung) as caught:
        until_cut("waits")
    assert caught.value.used.startswith("stood for 0.")
    assert caught.value.place.endswith("in waits")


@pytest.mark.timeout(60)
def test_of_some_cores_that_take_turns_the_one_inside_is_cut_off():
    stuck, other = Stuck(), Driver().live()
    driver = Driver(settings_of(one_strategy()), load=lambda _one: stuck).live()
    stuck.how = "thinks"
    with guarded(LIMIT_NS, other.core.turns, driver.core.turns):
        for _ in range(100):
            other.book()
        driver.book()
    assert other.of(CallbackCut) == []
    assert len(driver.of(CallbackCut)) == 1


def test_without_a_limit_nobody_watches():
    driver = Driver().live()
    with guarded(0, driver.core.turns):
        driver.book()
    assert PAST_LIMIT_NS >= 100 * LIMIT_NS, "no callback that returns meets it"
