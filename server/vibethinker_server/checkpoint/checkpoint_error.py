"""What a person, or a Job's log, is told about a checkpoint that cannot be read or written."""


class CheckpointError(ValueError):
    """It cannot be done; the text says what is wrong, in which file and field, and what to do."""


class HeldError(CheckpointError):
    """Another process writes the same output: it may be there once that one has ended."""
