"""What readers take from a configuration is what the checked one says."""

import pytest

from plimsoll.config import ConfigError
from plimsoll.config.books import load_books


def test_the_books_of_a_project_are_those_of_its_checked_configuration(desk):
    assert load_books(desk.root, environ={}) == desk.load().books
    desk.replace('tag = "abc"', 'tag = "abc"\nname = "second"')
    desk.write('[account]\nname = "third"\n', "config/production.toml")
    assert load_books(desk.root, environ={}) == desk.load().books
    assert load_books(desk.root, "production", environ={}) == desk.load("production").books
    environ = {"PLIMSOLL_ACCOUNT__NAME": "fourth", "PLIMSOLL_VENUE__ENVIRONMENT": "demo"}
    found = load_books(desk.root, environ=environ)
    assert (found.account, found.venue) == ("fourth", "demo")
    assert found == desk.load(environ=environ).books


@pytest.mark.parametrize("name", ['"../other"', '""', "7"])
def test_a_name_that_is_none_is_refused_with_its_place(desk, name):
    desk.replace('tag = "abc"', f'tag = "abc"\nname = {name}')
    with pytest.raises(ConfigError) as caught:
        load_books(desk.root, environ={})
    assert caught.value.key == "account.name"
    assert caught.value.file.endswith("plimsoll.toml")


def test_an_environment_that_is_not_there_is_refused(desk):
    with pytest.raises(ConfigError, match="no such environment"):
        load_books(desk.root, "prodution", environ={})
