"""Refusals of a configuration: what was expected, what was found, where, how to fix it."""


class ConfigError(Exception):
    """The configuration cannot be used: nothing is started (exit code 3).

    Attributes:
        file: Where the value stands: a path, the name of a variable, or ``command line``.
        key: Dotted key, empty where the whole file is meant.
        expected: What would do.
        found: What is there, empty where nothing is.
        hint: How to fix it.
        others: Further errors of the same configuration.
    """

    code = "config"

    def __init__(
        self,
        *,
        file: object,
        key: str = "",
        expected: str,
        found: str = "",
        hint: str = "",
        others: "tuple[ConfigError, ...]" = (),
    ) -> None:
        self.file = str(file)
        self.key = key
        self.expected = expected
        self.found = found
        self.hint = hint
        self.others = others
        where = f"{self.file}: {key}" if key else self.file
        what = f"{expected}, found {found}" if found else expected
        super().__init__(f"{where}: {what}")


class CredentialError(ConfigError):
    """A key or secret is missing, unreadable or readable by others (exit code 5)."""

    code = "credentials"
