"""What tests of two nodes share: they begin once each hears the other."""

from tests.doubles.valkey import until


async def hear_each_other(*nodes):
    """Wait until each node hears what another one tells."""
    heard = {}
    for node in nodes:
        node.tidings.hear(
            "hello", lambda teller, _, own=node.nodes.own.name: heard.update({own: teller})
        )

    def all_hear():
        for node in nodes:
            node.tidings.tell("hello", {})
        return len(heard) == len(nodes)

    await until(all_hear)
