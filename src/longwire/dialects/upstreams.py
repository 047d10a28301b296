"""The dialects of those we call beside the Responses API, by the name of their API."""

from collections.abc import Mapping
from typing import Final

from longwire.core.nouns.passed_api import PASSED_APIS
from longwire.dialects.chat_completions.upstream import ChatUpstream
from longwire.dialects.generate_content.upstream import GenerateContentUpstream
from longwire.dialects.messages.upstream import MessagesUpstream
from longwire.dialects.passed_apis.upstream import PassedUpstream
from longwire.dialects.ports import UpstreamDialect

UPSTREAMS: Final[Mapping[str, UpstreamDialect]] = {
    "chat_completions": ChatUpstream(),
    "messages": MessagesUpstream(),
    "generate_content": GenerateContentUpstream(),
    **dict.fromkeys(PASSED_APIS, PassedUpstream()),
}
"""The dialects by their APIs, as channels name them."""
