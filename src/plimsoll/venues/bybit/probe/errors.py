"""What ends a check without a verdict."""


class Unknown(Exception):
    """A check cannot be decided; the text says why."""
