"""Copies of code by their hash: whole or not there."""

import hashlib
import os

import pytest

from plimsoll.config.code import CodeStore

TEXT = b"class Ema: ...\n"
NAME = hashlib.sha256(TEXT).hexdigest()


def test_a_copy_is_found_by_its_hash_and_kept_once(tmp_path):
    store = CodeStore(tmp_path)
    assert store.find(NAME) is None
    assert store.keep(TEXT) == NAME
    before = (tmp_path / "code" / f"{NAME}.py").stat()
    assert store.keep(TEXT) == NAME
    assert (tmp_path / "code" / f"{NAME}.py").stat().st_ino == before.st_ino
    assert before.st_mode & 0o777 == 0o600
    assert store.find(NAME) == TEXT
    assert [one.name for one in (tmp_path / "code").iterdir()] == [f"{NAME}.py"]


@pytest.mark.parametrize("text", [b"", TEXT[:-1], TEXT + b"#"])
def test_a_copy_that_was_changed_is_none_and_is_written_again(tmp_path, text):
    store = CodeStore(tmp_path)
    store.keep(TEXT)
    (tmp_path / "code" / f"{NAME}.py").write_bytes(text)
    assert store.find(NAME) is None
    store.keep(TEXT)
    assert store.find(NAME) == TEXT


def test_what_a_death_left_half_written_is_no_copy(tmp_path):
    store = CodeStore(tmp_path)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / f"{NAME}.{os.getpid()}.tmp").write_bytes(TEXT[:3])
    assert store.find(NAME) is None
    store.keep(TEXT)
    assert store.find(NAME) == TEXT
