"""What commands share: options, examples in help texts, and the settings of this folder.

Reads config.yaml. Must not know what a command does with them.
"""

from typing import TYPE_CHECKING, Any

from trailers12k.common.bounded_files import is_absent, kind_fault_of
from trailers12k.common.errors import UserError

if TYPE_CHECKING:
    from trailers12k.settings import Settings

PASS_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Settings of a command whose further arguments are Snakemake's."""


def examples(*lines: str) -> str:
    """The end of a help text, which shows how a command is called."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


def require_config() -> None:
    """Raise `UserError` where this folder holds no collection, or its config.yaml is no file."""
    if fault := kind_fault_of("config.yaml"):
        if not is_absent("config.yaml"):
            raise UserError(f"config.yaml {fault}; allowed: a file")
        raise UserError(
            "there is no config.yaml in this folder; change to the folder of a collection, or "
            "create one: trailers12k init DIR"
        )


def read_config() -> dict[str, Any]:
    """The configuration of this folder. Raises `UserError`."""
    from trailers12k.settings.files import read_config

    require_config()
    return read_config()


def read_settings() -> "Settings":
    """The settings of this folder, which must not hold another collection's products.

    Raises `UserError`.
    """
    from trailers12k.settings import load
    from trailers12k.workflow import folder

    settings = load(read_config())
    folder.check(settings.collection)
    return settings
