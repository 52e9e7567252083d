"""Without the extra `data` everything says what to install, and nothing loads DuckDB early."""

import subprocess
import sys

import pytest
from tests.data.conftest import bars

from plimsoll.data import DataError, PackageMissing, read_file
from plimsoll.data.database import database, literal


def test_a_missing_package_says_what_to_install(monkeypatch, given):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(PackageMissing, match=r"pip install 'duckdb>=1.4,<3'"):
        next(read_file(given(bars(1)), "1m"))


def test_duckdb_is_loaded_only_when_data_are_touched():
    code = "import sys, plimsoll.data, plimsoll.cli.main; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_too_little_memory_is_told_as_that():
    with pytest.raises(DataError, match="too little memory"):
        fill_memory()


def fill_memory():
    with database() as (connection, _):
        connection.execute("SET temp_directory = ''")
        connection.execute(
            "CREATE TEMP TABLE much AS SELECT hash(i) AS h FROM range(100000000) r(i)"
        )


def test_texts_are_written_as_sql_reads_them():
    with database() as (connection, _):
        for text in ("it's", "a;b--", "\\n", "é\n"):
            assert connection.execute(f"SELECT {literal(text)}").fetchone() == (text,)
