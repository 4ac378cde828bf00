"""From a merged configuration to `Settings`, or to one line that explains what is wrong.

Checks that the files exist that the configuration names. Must not know how a stage uses its
settings.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from trailers12k.common.errors import UserError
from trailers12k.settings import checks
from trailers12k.settings.models import Settings


def load(config: Mapping[str, Any]) -> Settings:
    """The settings of a configuration; keys that are absent take the paper's values.

    config: as YAML and Snakemake read it. Entries of `backbones` and `runs` that are null are
    dropped. Raises `UserError`, one line, at a fault: the key, its value, and what is allowed.
    """
    try:
        checks.check_before(config)
        settings = Settings.model_validate(config)
        checks.check(settings)
    except ValidationError as error:
        # Here, since only a fault needs the schema.
        from trailers12k.settings.messages import describe

        raise _fault(describe(error)) from None
    except checks.Fault as error:
        raise _fault(str(error)) from None
    return settings


def _fault(message: str) -> UserError:
    return UserError(" ".join(f"config: {message}".split()))
