"""Breaks the product for a whole pytest run: ``MUTANT=name pytest -p tests.simulation.mutants.plugin``."""

import os

import pytest
from tests.simulation.mutants.table import MUTANTS


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop():
    """Run every test under the mutant the environment names."""
    with MUTANTS[os.environ["MUTANT"]].patch():
        return (yield)
