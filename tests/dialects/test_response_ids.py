"""Ids of responses, as clients see them."""

import pytest

from longwire.dialects.generate_content.reading import own_id
from longwire.dialects.messages.ids import message_id
from longwire.dialects.response_ids import kept_ids


@pytest.mark.parametrize("kept", ["resp_68a1", "resp_msg_01", "resp_chatcmpl-9", "other"])
def test_a_message_leads_to_its_response(kept):
    """The id of a message that a response became is one way to name the response."""
    assert kept in kept_ids(message_id(kept))


@pytest.mark.parametrize("shown", ["chatcmpl-9", "msg_01", "aY.x", "g" * 60])
def test_what_was_passed_on_leads_to_what_is_kept(shown):
    """A vendor's own id, which the client got as it is, is kept behind `resp_`."""
    assert f"resp_{own_id(shown)}" in kept_ids(shown)
