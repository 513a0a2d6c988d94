"""What a person, or a pod's log, is told when the server cannot be started."""


class StartError(ValueError):
    """It cannot start; the text says what is wrong, where, and what to do about it."""
