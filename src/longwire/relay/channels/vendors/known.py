"""The vendors there are, by channel type."""

from longwire.core.nouns.quota import QuotaTracker
from longwire.relay.channels.vendors.codex import Codex, RoutingTokens
from longwire.relay.channels.vendors.openai import OpenAI
from longwire.relay.channels.vendors.ports import Vendor


class Vendors:
    """Gives channels their vendors; those of one type share what they know of callers."""

    __slots__ = ("_tokens",)

    def __init__(self) -> None:
        self._tokens = RoutingTokens()

    def of(
        self, type_: str, channel: str, quota: QuotaTracker, *, has_rates: bool = False
    ) -> Vendor:
        """Return the vendor of a type, for a channel called `channel` among those that run.

        It `has_rates` of its own, which are learned from answers, where it runs for one of several
        keys.
        """
        if type_ == "codex":
            return Codex(channel, quota, self._tokens)
        return OpenAI(quota if has_rates else None)
