"""What all tests share: hypothesis tries the same examples in each run, on slow machines too."""

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("same")
