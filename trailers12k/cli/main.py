"""The entry of the command `trailers12k`: runs one command and reports errors.

Prints errors to stderr: one line and exit code 2 for a user's error, a traceback for a fault of
ours. Imports the commands late, so that Ctrl-C at the start ends it without a traceback.
"""

import signal
import sys
import traceback
from collections.abc import Sequence

from trailers12k import __version__
from trailers12k.common.errors import DENIED, FULL, UserError
from trailers12k.common.messages import denied, one_line

USER_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code: 0 ok, 1 faults found, 2 an error of the user's.

    arguments: by default those of the process.
    """
    try:
        from trailers12k.cli.app import create_app

        create_app()(args=arguments, prog_name="trailers12k")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except UserError as error:
        sys.exit(_report(str(error)))
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0] == "trailers12k":
            sys.exit(_report_fault())
        install = "in the clone: pip install -c lock.txt -e '.[all]'"
        sys.exit(_report(f"this command needs the package {error.name}; {install}"))
    except OSError as error:
        if error.errno in FULL:
            sys.exit(_report(f"{error.strerror}; free some space, then try again"))
        if error.errno not in DENIED or not error.filename:
            sys.exit(_report_fault())
        sys.exit(_report(f"{denied(error)}; see to it, then try again"))
    except Exception:
        sys.exit(_report_fault())


def _report(message: str) -> int:
    print(f"error: {one_line(message)}", file=sys.stderr)
    return USER_ERROR


def _report_fault() -> int:
    traceback.print_exc()
    print(
        f"This is a fault of trailers12k {__version__}. Please report it with the lines above, as "
        "an issue of the repository that it was cloned from.",
        file=sys.stderr,
    )
    return 1
