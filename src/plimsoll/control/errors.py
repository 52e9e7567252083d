"""What can go wrong between a command and its answer, told apart by what may have happened."""


class ControlError(Exception):
    """The socket cannot be used."""


class ControlUnreachable(ControlError):
    """Nobody listens: the command has not been given to anyone."""


class ControlUnanswered(ControlError):
    """The command was sent and no answer came: it may have been accepted.

    Sending it again under the same id is safe: it gets the first answer.
    """
