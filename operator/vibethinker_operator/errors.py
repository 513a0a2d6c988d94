"""What can go wrong, for callers that treat kinds of failure differently.

    VibeThinkerError            anything this operator raises on purpose
    ├── SettingsError           the operator's own environment is unusable: do not start
    ├── InvalidSpecError        a resource cannot be obeyed as written: say so, try other resources
    └── ClusterError            the Kubernetes API refused or did not answer
        ├── ConflictError       somebody wrote first: read again, decide again
        ├── NotFoundError       the object is not there (any more)
        ├── ForbiddenError      a right, a quota or an admission policy says no
        └── UnavailableError    no answer, or not now: try again later

Messages are whole sentences for the person who reads the status: what, where, what to do.
"""


class VibeThinkerError(Exception):
    """Anything this operator raises on purpose."""


class SettingsError(VibeThinkerError):
    """The operator's own environment is unusable."""


class InvalidSpecError(VibeThinkerError):
    """A resource cannot be obeyed as written."""


class ClusterError(VibeThinkerError):
    """The Kubernetes API refused or did not answer."""


class ConflictError(ClusterError):
    """Somebody wrote the object since it was read."""


class NotFoundError(ClusterError):
    """The object is not there, or not there any more."""


class ForbiddenError(ClusterError):
    """A right, a quota or an admission policy says no."""


class UnavailableError(ClusterError):
    """No answer came, or the API asked to be left alone for now."""
