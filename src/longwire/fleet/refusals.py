"""What Valkey's own refusals mean, and their mends, by the word that an error begins with."""

from collections.abc import Callable
from typing import Any, Final

from redis.exceptions import ResponseError

from longwire.logger import structlog

_log = structlog.get_logger()
_QUIET: Final = 60.0

MENDS: Final = {
    "WRONGPASS": "correct the user and password in fleet.url",
    "NOAUTH": "it wants a password: write it in fleet.url, valkey://user:password@host",
    "NOPERM": "give its user ~lw:* &lw:* +@all -@dangerous +info +cluster|slots",
    "OOM": "its memory is full: raise maxmemory, and keep maxmemory-policy noeviction",
    "MISCONF": "it cannot save to its disk and takes no writes: free the disk",
    "READONLY": "it is a replica: name the master in fleet.url, or Sentinels, valkey+sentinel://",
    "NOREPLICAS": "it has too few replicas to take writes: start them",
    "LOADING": "it reads its data from disk: wait",
    "BUSY": "a script of somebody runs too long there: SCRIPT KILL",
    "CLUSTERDOWN": "a part of the cluster has no master: start its servers",
    "MASTERDOWN": "it is a replica whose master is gone: start that",
    "TRYAGAIN": "it moves the key to another server: wait",
}

_OF_ONE_COMMAND: Final = {"NOPERM", "TRYAGAIN"}
"""What is refused to one command, and says nothing of others."""


def code_of(error: BaseException) -> str:
    """Return the word that an error of Valkey begins with, "" for another one."""
    code = getattr(error, "status_code", None) or str(error).partition(" ")[0]
    if str(error).startswith("Authentication required"):
        return "NOAUTH"
    return code if code in MENDS else ""


def refuses_all(answer: Any) -> bool:  # noqa: ANN401 - as the server sent it
    """Whether an answer says that this server serves nobody, or no writes, now."""
    code = code_of(answer) if isinstance(answer, ResponseError) else ""
    return bool(code) and code not in _OF_ONE_COMMAND


class Complaints:
    """Logs that Valkey is away, and that it is back; the same reason at most once in a minute.

    One for which it is away longer than that minute is logged then; `clock` gives seconds.
    """

    __slots__ = ("_clock", "_logged_at", "_reason")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._reason = ""
        self._logged_at: dict[str, float] = {}

    def away(self, error: BaseException) -> None:
        """Log that Valkey is away, why, and what to do about it, unless that was said last."""
        code = code_of(error)
        reason = code or type(error).__name__
        if reason == self._reason or not self._is_due(reason):
            return
        self._reason = reason
        text = str(error) or "no answer in time"
        mend = {"code": code, "mend": MENDS[code]} if code else {}
        _log.warning("valkey_away", reason=text, **mend)

    def back(self) -> None:
        """Log that it is back, where it was logged that it is away."""
        if self._reason:
            _log.info("valkey_back")
        self._reason = ""

    def refused(self, error: BaseException) -> None:
        """Log that it refused one command."""
        code = code_of(error)
        if self._is_due(f"refused {code}"):
            mend = {"code": code, "mend": MENDS[code]} if code else {}
            _log.warning("valkey_refused", reason=str(error), **mend)

    def _is_due(self, reason: str) -> bool:
        now = self._clock()
        if now < self._logged_at.get(reason, float("-inf")) + _QUIET:
            return False
        self._logged_at[reason] = now
        return True
