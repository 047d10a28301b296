"""The types of the events of output that other APIs write as their own."""

from typing import Final

CREATED: Final = "response.created"
"""Said once more behind output, it begins the answer anew."""

ITEM_ADDED: Final = "response.output_item.added"
ITEM_DONE: Final = "response.output_item.done"
TEXT: Final = "response.output_text.delta"
REFUSAL: Final = "response.refusal.delta"
ARGUMENTS: Final = "response.function_call_arguments.delta"
CUSTOM_INPUT: Final = "response.custom_tool_call_input.delta"
REASONING: Final = "response.reasoning_text.delta"
SUMMARY: Final = "response.reasoning_summary_text.delta"
SUMMARY_PART: Final = "response.reasoning_summary_part.added"
