"""The emulator's second tongue: Anthropic's Messages, as strict as its Responses.

Law: a conversation said here is turned into the emulator's own items, so that model, script and
oracle are those of Responses, and one context has one digest in both.
"""

from longwire.emulator.messages.routes import by_version, messages_routes
from longwire.emulator.messages.turns import Memory

__all__ = ["Memory", "by_version", "messages_routes"]
