"""The database in memory: it and its directory are gone afterwards, however one leaves."""

import gc
import sys

import pytest

from plimsoll.data.database import database


def test_the_directory_is_gone_after_an_error():
    places = []

    def fails():
        with database() as (_, directory):
            places.append(directory)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert not places[0].exists()


def test_rows_that_nobody_reads_to_their_end_leave_nothing_behind(monkeypatch):
    """As where an error in a strategy ends a backtest, whose frames are collected later."""
    told: list[object] = []
    places = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)

    def rows():
        with database() as (_, directory):
            places.append(directory)
            yield directory
            yield directory

    class Reader:
        def __init__(self):
            self.rows = rows()
            self.me = self
            next(self.rows)

    reader = Reader()
    assert places[0].is_dir()
    del reader
    gc.collect()
    assert not places[0].exists()
    assert told == []
