"""`longwire demo`: one agent's session through every API, each continued on its own WebSocket.

Everything runs in this process and stays on this machine; only the upstream is pretended.
"""

import importlib.util
import os

from longwire.core.errors import ConfigurationError


def run(*, once: bool) -> int:
    """Run and show the sessions, then serve until interrupted unless `once`; the exit code.

    1 when a turn that could continue did not, when the upstream was sent what no correct client
    sends, or when it was shown anything but what the client meant.
    """
    missing = [name for name in ("openai", "anthropic") if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"the demo talks through the official clients; not installed: {', '.join(missing)}; "
            "run: pip install 'longwire[demo]'"
        )
    from longwire.demo.performance import perform  # noqa: PLC0415 - the clients come with an extra

    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    return perform(once=once)
