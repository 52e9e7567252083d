import hashlib

import pytest

from plimsoll.config import ConfigError
from plimsoll.config.sources import digest_of, locate


def test_a_file_of_the_project_is_found(desk):
    path = locate("strategies/plain.py:Plain", desk.root, key="k")
    assert path == (desk.root / "strategies/plain.py").resolve()
    assert digest_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_installed_module_is_found(tmp_path):
    path = locate("plimsoll.core.strategy.base:Strategy", tmp_path, key="k")
    assert path.name == "base.py"


@pytest.mark.parametrize(
    "source",
    ["../out.py:X", "/etc/out.py:X", "strategies/none.py:X", "no_such_package.x:X", "sys:X"],
)
def test_a_file_outside_or_nowhere_is_refused(desk, source):
    with pytest.raises(ConfigError) as caught:
        locate(source, desk.root, key="strategy.one.class")
    assert caught.value.key == "strategy.one.class"


def test_a_link_out_of_the_project_is_refused(desk, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "x.py"
    outside.write_text("")
    (desk.root / "strategies" / "x.py").symlink_to(outside)
    with pytest.raises(ConfigError, match="inside the project"):
        locate("strategies/x.py:X", desk.root, key="k")
