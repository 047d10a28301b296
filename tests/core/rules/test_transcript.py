"""What is kept of a connection's responses, against a model that never forgets by itself."""

from hypothesis import given, settings
from hypothesis import strategies as st

from longwire.core.rules.transcript import Link, Transcript


def linked(name, parent, items=b"x"):
    """A response that follows another."""
    return Link(name, parent, items, (parent.length if parent else 0) + 1)


def chain(transcript, count, items=b"x"):
    """Keep a chain of responses; returns the last."""
    link = None
    for number in range(count):
        link = linked(f"resp_{number}", link, items)
        transcript.keep(link)
    return link


def test_a_history_is_told_from_its_beginning():
    """The items of every link come in their order."""
    transcript = Transcript(1_000_000)
    link = None
    for number in range(5):
        link = linked(f"resp_{number}", link, b"%d" % number)
        transcript.keep(link)
    assert [b"0", b"1", b"2", b"3", b"4"] == transcript.find("resp_4").history()
    assert [b"0", b"1"] == transcript.find("resp_1").history()


def test_a_fork_leaves_both_branches():
    """Two responses that follow the same one have it in common, and it costs once."""
    transcript = Transcript(1_000_000)
    root = chain(transcript, 1, b"root")
    for name in ("left", "right"):
        transcript.keep(linked(name, root, name.encode()))
    assert [b"root", b"left"] == transcript.find("left").history()
    assert [b"root", b"right"] == transcript.find("right").history()
    links = (transcript.find(name) for name in ("resp_0", "left", "right"))
    assert sum(link.size for link in links) == transcript.size


def test_only_the_newest_responses_are_known():
    """Older ids are forgotten; what later ones need of them is not."""
    transcript = Transcript(1_000_000, most_responses=3)
    chain(transcript, 10)
    assert [None, None] == [transcript.find("resp_0"), transcript.find("resp_6")]
    assert 10 == len(transcript.find("resp_9").history())


def test_unknown_and_no_ids_find_nothing():
    """What was never kept is not known."""
    transcript = Transcript(1_000_000)
    chain(transcript, 1)
    assert (None, None) == (transcript.find("resp_x"), transcript.find(None))


def test_a_history_past_the_size_is_forgotten_whole():
    """Half a history is none: what cannot be kept in full cannot be gone on from."""
    transcript = Transcript(10_000)
    chain(transcript, 3, b"x" * 4_000)
    assert [None] * 3 == [transcript.find(f"resp_{number}") for number in range(3)]
    assert 0 == transcript.size


def test_a_large_history_leaves_room_for_the_next():
    """After one that was too large others are kept as before."""
    transcript = Transcript(10_000)
    transcript.keep(linked("large", None, b"x" * 20_000))
    transcript.keep(linked("small", None))
    assert [None, [b"x"]] == [transcript.find("large"), transcript.find("small").history()]


def test_an_old_branch_makes_room_for_a_new_one():
    """A conversation that begins anew pushes the old one out, not itself."""
    transcript = Transcript(10_000)
    chain(transcript, 2, b"x" * 4_000)
    transcript.keep(linked("anew", None, b"y" * 4_000))
    assert [b"y" * 4_000] == transcript.find("anew").history()
    assert transcript.size <= 10_000


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 600)), max_size=60
    ),
    most_bytes=st.integers(300, 6_000),
    most_responses=st.integers(1, 8),
)
def test_what_is_found_is_whole_and_costs_what_it_says(steps, most_bytes, most_responses):
    """Found: the whole history. Size: that of all links that can be reached, within both bounds.

    Ids repeat and parents may be long forgotten, as where a turn outlives its parent's id.
    """
    transcript, histories, links = Transcript(most_bytes, most_responses), {}, {}
    for name, parent_name, size in steps:
        parent = links.get(parent_name)
        link = linked(str(name), parent, b"%d" % size * (size // 3))
        before = histories.get(parent_name, []) if parent else []
        transcript.keep(link)
        links[name], histories[name] = link, [*before, link.items]
        known = {n: found for n in links if (found := transcript.find(str(n))) is not None}
        assert all(histories[n] == found.history() for n, found in known.items())
        assert len(known) <= most_responses
        assert transcript.size <= most_bytes
        reachable = {id(each): each for found in known.values() for each in ancestors(found)}
        assert sum(each.size for each in reachable.values()) == transcript.size


def ancestors(link):
    """A link and all before it."""
    while link is not None:
        yield link
        link = link.parent
