"""What a person who starts the server by hand reads when it cannot be started."""


class StartError(ValueError):
    """It cannot start; the text says what is wrong, where, and what to do about it."""
