"""What each model takes, by the names that it has here and there."""

import pytest

from longwire.dialects.messages.claude import UNKNOWN, Thinking, claude_of


@pytest.mark.parametrize(
    ("name", "longest", "thinking"),
    [
        ("claude-opus-5-5", 128_000, Thinking.ALWAYS),
        ("claude-fable-5-1", 128_000, Thinking.ALWAYS),
        ("claude-opus-5", 128_000, Thinking.ADAPTIVE),
        ("claude-sonnet-5-5", 128_000, Thinking.ADAPTIVE),
        ("claude-haiku-5-5", 128_000, Thinking.ADAPTIVE),
        ("claude-opus-4-8-20260528", 128_000, Thinking.ADAPTIVE),
        ("claude-opus-4-7", 128_000, Thinking.ALWAYS),
        ("anthropic.claude-opus-4-6-v1", 128_000, Thinking.ADAPTIVE),
        ("claude-sonnet-4-6", 128_000, Thinking.ADAPTIVE),
        ("anthropic/claude-sonnet-4.5", 64_000, Thinking.BUDGET),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", 64_000, Thinking.BUDGET),
        ("claude-opus-4-1@20250805", 32_000, Thinking.BUDGET),
        ("claude-4-opus-20250514", 32_000, Thinking.BUDGET),
        ("claude-sonnet-4-20250514", 64_000, Thinking.BUDGET),
        ("claude-3-7-sonnet-latest", 64_000, Thinking.BUDGET),
        ("anthropic/claude-3.5-sonnet", 8_192, Thinking.NEVER),
        ("claude-3-haiku-20240307", 4_096, Thinking.NEVER),
        ("deepseek-chat", 32_000, Thinking.ADAPTIVE),
    ],
)
def test_a_model_is_known_by_its_names(name: str, longest: int, thinking: Thinking) -> None:
    """Anthropic's own, dated ones, and those of other vendors that serve it."""
    assert (longest, thinking) == (claude_of(name).longest, claude_of(name).thinking)


@pytest.mark.parametrize(
    ("name", "wanted", "effort"),
    [
        ("claude-sonnet-5-5", "xhigh", "xhigh"),
        ("claude-sonnet-5-5", "minimal", "low"),
        ("claude-opus-4-6", "xhigh", "max"),
        ("claude-opus-4-6", "medium", "medium"),
    ],
)
def test_the_next_effort_is_taken(name: str, wanted: str, effort: str) -> None:
    """What a model does not know becomes what comes next to it."""
    assert effort == claude_of(name).effort(wanted)


def test_what_is_none_of_anthropics_is_unknown() -> None:
    """A name that only looks like one is taken for any other."""
    assert claude_of("my-claudette-5") is UNKNOWN
