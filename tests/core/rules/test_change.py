"""What changed, in words for a header: short, visible, and nothing of a prompt."""

from longwire.core.rules.change import LONGEST_CHANGE, Change, Edit, ItemChange, shown_name


def test_an_item_is_named_by_its_place() -> None:
    """The place is an index as in the request, of so many; then what it is and became."""
    assert "input[13] of 31: function_call_output" == str(
        ItemChange(13, 31, "function_call_output")
    )
    assert "input[3] of 3: reasoning of the reply removed" == str(
        ItemChange(3, 3, "reasoning", Edit.REMOVED, of_reply=True)
    )
    assert "input[1024] or later of 2000" == str(ItemChange(1024, 2000, is_later=True))


def test_item_and_properties_stand_side_by_side() -> None:
    """First the item, then the properties."""
    change = Change(ItemChange(0, 1, "user message"), ("model", 'tools[2] "shell"'))
    assert 'input[0] of 1: user message; model, tools[2] "shell"' == str(change)
    assert "model" == str(Change(properties=("model",)))
    assert "" == str(Change())


def test_of_many_properties_the_first_are_named() -> None:
    """What has no room is counted."""
    names = tuple(f'tools[{index}] "{"x" * 64}"' for index in range(128))
    text = str(Change(ItemChange(1023, 100_000, "function_call_output", Edit.REMOVED), names))
    assert text.endswith('" and 126 more')
    assert len(text) <= LONGEST_CHANGE


def test_a_name_is_visible_and_short() -> None:
    """Nothing that breaks a header, or ends its own quotes."""
    assert "sh'ell??" == shown_name('sh"ell\r\u00e9')
    assert "x" * 64 == shown_name("x" * 1000)
