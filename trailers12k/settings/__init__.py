"""The typed configuration: models with the paper's values as defaults, loading, generated schema.

Reads a merged configuration. Must not know how the stages use their settings.
"""

from trailers12k.settings.loading import load
from trailers12k.settings.models import Settings, plain

__all__ = ["Settings", "load", "plain"]
