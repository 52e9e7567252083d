"""Breaks the product for a run of pytest: ``MUTANT=name``, and ``-p`` this module."""

import os

import pytest
from tests.simulation.mutants.table import MUTANTS


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop():
    """Run every test under the mutant the environment names."""
    with MUTANTS[os.environ["MUTANT"]].patch():
        return (yield)
