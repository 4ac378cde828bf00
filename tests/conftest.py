"""What all tests share: hypothesis tries the same examples in each run, on slow machines too.

With FUZZ, as `make fuzz` sets it, it tries new ones.
"""

import os

from hypothesis import settings

is_same = "FUZZ" not in os.environ
settings.register_profile(
    "same", derandomize=is_same, deadline=None, database=None, max_examples=60, print_blob=True
)
settings.load_profile("same")
