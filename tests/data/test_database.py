"""Without the extra `data` everything says what to install, and nothing loads DuckDB early."""

import subprocess
import sys

import pytest
from tests.data.conftest import bars

from plimsoll.data import PackageMissing, read_file
from plimsoll.data.database import database, literal


def test_a_missing_package_says_what_to_install(monkeypatch, given):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(PackageMissing, match=r"pip install 'duckdb>=1.4,<3'"):
        next(read_file(given(bars(1)), "1m"))


def test_duckdb_is_loaded_only_when_data_are_touched():
    code = "import sys, plimsoll.data, plimsoll.cli.main; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_texts_are_written_as_sql_reads_them():
    with database() as (connection, _):
        for text in ("it's", "a;b--", "\\n", "é\n"):
            assert connection.execute(f"SELECT {literal(text)}").fetchone() == (text,)
