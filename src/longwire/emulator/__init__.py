"""A local, strict upstream: Responses over HTTP, SSE and WebSocket, other APIs over HTTP."""

from longwire.emulator.carried import merged, numbered, said, spoken
from longwire.emulator.counters import Counters, Turn
from longwire.emulator.faults import Fault
from longwire.emulator.issuer import Issuer, IssuerFault
from longwire.emulator.options import Call, IssuerOptions, Options, Script
from longwire.emulator.oracle import digest
from longwire.emulator.server import Emulator

__all__ = [
    "Call",
    "Counters",
    "Emulator",
    "Fault",
    "Issuer",
    "IssuerFault",
    "IssuerOptions",
    "Options",
    "Script",
    "Turn",
    "digest",
    "merged",
    "numbered",
    "said",
    "spoken",
]
