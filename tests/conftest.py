"""Property tests draw the same examples each time: a check that is red is red for everybody.

`pytest --hypothesis-profile=default` draws fresh ones, to search further.
"""

from hypothesis import settings

settings.register_profile("reproducible", derandomize=True)
settings.load_profile("reproducible")
