import pytest

from plimsoll.config import CredentialError
from plimsoll.config.secret import read_key


@pytest.fixture
def keyed(desk):
    desk.replace('tag = "abc"', 'tag = "abc"\nkey = "env:THE_KEY"\nsecret = "file:secrets/one"')
    desk.write("hunter2\n", "secrets/one").chmod(0o600)
    return desk


def refusal(desk, environ) -> CredentialError:
    with pytest.raises(CredentialError) as caught:
        read_key(desk.load(), environ)
    return caught.value


def test_key_and_secret_are_read_from_where_they_are(keyed):
    key, secret = read_key(keyed.load(), {"THE_KEY": "k"})
    assert (key, secret.get_secret_value()) == ("k", "hunter2")


def test_a_secret_shows_itself_to_nobody(keyed):
    _, secret = read_key(keyed.load(), {"THE_KEY": "k"})
    assert "hunter2" not in f"{secret} {secret!r}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_secret_that_others_can_read_is_refused_with_the_command_that_helps(keyed, mode):
    path = keyed.root / "secrets" / "one"
    path.chmod(mode)
    error = refusal(keyed, {"THE_KEY": "k"})
    assert error.key == "account.secret"
    assert error.hint == f"chmod 600 {path}"
    assert "hunter2" not in str(error)


def test_a_missing_file_is_named(keyed):
    (keyed.root / "secrets" / "one").unlink()
    error = refusal(keyed, {"THE_KEY": "k"})
    assert "secrets/one" in str(error)


def test_a_variable_that_is_not_set_is_named(keyed):
    assert "THE_KEY" in str(refusal(keyed, {}))


def test_an_empty_file_is_refused(keyed):
    (keyed.root / "secrets" / "one").write_text("\n")
    assert "is empty" in str(refusal(keyed, {"THE_KEY": "k"}))


def test_without_references_there_is_no_key(desk):
    key, secret = read_key(desk.load(), {})
    assert (key, secret.get_secret_value()) == ("", "")
