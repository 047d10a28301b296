"""A worker of several: a gateway on the sockets that its supervisor opened."""

import gc
import sys

import msgspec

from longwire.core.errors import LongwireError
from longwire.supervisor.workers import Post


def main() -> None:
    """Serve as the one argument says; a failure is what it is with one process."""
    post = msgspec.json.decode(sys.argv[1], type=Post)
    gc.disable()  # as `longwire serve` does while it loads
    try:
        from longwire.processes import work  # noqa: PLC0415
    finally:
        gc.enable()
    try:
        work(post)
    except LongwireError as error:
        sys.stderr.write(f"longwire: {error}".replace("\n", "\nlongwire: ") + "\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
