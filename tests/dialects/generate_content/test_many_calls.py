"""Turns and answers of very many calls take no longer for each than others do."""

import json
import time

from msgspec import Raw

from longwire.dialects.generate_content.calls import Calls
from longwire.dialects.generate_content.options import Options
from longwire.dialects.generate_content.parts import Parts
from longwire.dialects.messages.stream import Frame
from longwire.dialects.responses import output_events
from tests.dialects.generate_content.calls import call, contents_of

CALLS = 20_000


def test_outputs_of_many_calls_find_theirs():
    """By their ids, whatever their order."""
    items = [call(f"c{each}") for each in range(CALLS)]
    outputs = [
        {"type": "function_call_output", "call_id": f"c{each}", "output": str(each)}
        for each in reversed(range(CALLS))
    ]
    began = time.process_time()
    *_, said = contents_of(*items, *outputs)
    assert time.process_time() - began < 2
    found = [part["functionResponse"]["response"]["output"] for part in said["parts"]]
    assert [*map(str, range(CALLS))] == found


def test_answers_by_name_alone_find_the_first_open_call():
    """And those that only repeat one are known again."""
    calls = Calls()
    began = time.process_time()
    ids = [calls.called(f"f{each}", None, "") for each in range(CALLS)]
    outputs = [b'"%d"' % each for each in range(CALLS)]
    numbers = range(CALLS)
    answers = [calls.answered(f"f{each}", None, outputs[each], "") for each in reversed(numbers)]
    again = [calls.answered(f"f{each}", None, outputs[each], "") for each in numbers]
    assert time.process_time() - began < 2
    named = [json.loads(each or b"")["call_id"] for each in reversed(answers)]
    assert [json.loads(each) for each in ids] == named
    assert [None] * CALLS == again


def test_items_that_wait_for_the_first_are_shown_in_order():
    """Each is looked at once when the one before is done."""
    parts, shown = Parts(Options()), []
    items = [Raw(json.dumps(call(f"c{index}")).encode()) for index in range(CALLS)]
    began = time.process_time()
    for name in (output_events.ITEM_ADDED, output_events.ITEM_DONE):
        for index, item in enumerate(items):
            shown += parts.feed(Frame(name, index, item=item))
    assert time.process_time() - began < 2
    assert [f"c{index}" for index in range(CALLS)] == [
        json.loads(each.call)["id"] for each in shown
    ]


def test_items_that_are_done_before_the_first_one_wait_for_it():
    """They are shown as they came, behind it."""
    parts = Parts(Options())
    items = [Raw(json.dumps(call(f"c{index}")).encode()) for index in range(CALLS)]
    parts.feed(Frame(output_events.ITEM_ADDED, 0, item=items[0]))
    for index in range(1, CALLS):
        assert () == tuple(parts.feed(Frame(output_events.ITEM_DONE, index, item=items[index])))
    shown = parts.feed(Frame(output_events.ITEM_DONE, 0, item=items[0]))
    assert [f"c{index}" for index in range(CALLS)] == [
        json.loads(each.call)["id"] for each in shown
    ]
