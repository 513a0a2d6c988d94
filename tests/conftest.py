"""Property tests draw the same examples each time: a check that is red is red for everybody.

No example has a deadline: a busy machine is no fault of the code.
`pytest --hypothesis-profile=default` draws fresh ones, to search further.
"""

from hypothesis import settings

settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")
