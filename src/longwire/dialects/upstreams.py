"""The dialects of those we call beside the Responses API, by the name of their API."""

from collections.abc import Mapping
from typing import Final

from longwire.dialects.generate_content.upstream import GenerateContentUpstream
from longwire.dialects.ports import UpstreamDialect

UPSTREAMS: Final[Mapping[str, UpstreamDialect]] = {"generate_content": GenerateContentUpstream()}
"""The dialects by their APIs, as channels name them."""
