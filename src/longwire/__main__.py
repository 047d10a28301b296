"""The program: an expected failure is one line on stderr and exit code 1, never a traceback."""

import sys

from longwire.cli import build
from longwire.cli.fields import said
from longwire.core.errors import LongwireError

_FAILED = 1
_INTERRUPTED = 130


def main() -> None:
    """Run the command line; usage errors exit with 2."""
    try:
        build()()
    except LongwireError as error:
        print(f"longwire: {said(error)}".replace("\n", "\nlongwire: "), file=sys.stderr)
        sys.exit(_FAILED)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
