"""The stage of a fleet: three nodes over PostgreSQL and Valkey, HAProxy before them, one upstream.

Law: HAProxy sends each request anywhere, so that a page is never answered by one node alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anyio.from_thread import BlockingPortal, start_blocking_portal

from longwire.core.nouns.access import Role
from longwire.core.nouns.people import User
from longwire.core.nouns.secret import Secret
from tests.doubles.fleet import ACTOR, Fleet, channels, running_fleet
from tests.doubles.nodes import Node
from tests.ui.stage import OWNER, PASSWORD, Person, Process, Served, free_port

_SIGN_IN = "mutation($i: SignInInput!) { signIn(input: $i) { id } }"


class FleetStage(Served):
    """A fleet behind its balancer, run in a loop of its own: the browser's tests wait in theirs."""

    def __init__(self, portal: BlockingPortal, fleet: Fleet, url: str, upstream: str) -> None:
        super().__init__(url, upstream)
        self.fleet = fleet
        self._portal = portal

    def at(self, node: Node) -> Served:
        """One node, past the balancer."""
        return Served(node.url, self.upstream)

    def kill(self, node: Node) -> None:
        """End a node as a crash does."""
        self._portal.call(node.kill)

    def start(self, node: Node) -> None:
        """Start a node, again or for the first time."""
        self._portal.call(node.start)

    def kill_valkey(self) -> None:
        """End Valkey at once."""
        self._portal.call(self.fleet.valkey.kill)

    def start_valkey(self) -> None:
        """Start it again, empty."""
        self._portal.call(self.fleet.valkey.start)

    def owner(self) -> Person:
        """Return an owner, signed in."""
        self._portal.call(self._add_owner)
        person = Person(self)
        person.ask(_SIGN_IN, i={"email": OWNER, "password": PASSWORD})
        return person

    async def _add_owner(self) -> None:
        async with self.fleet.store() as store:
            owner = User(id="", email=OWNER, name="", role=Role.OWNER)
            await store.users.create(owner, Secret(PASSWORD), ACTOR)


@contextmanager
def fleet_stage(folder: Path, postgresql: str, template: str) -> Iterator[FleetStage]:
    """Run a fleet and what it needs until left."""
    port = free_port()
    upstream = f"http://127.0.0.1:{port}"
    issuer = ("--set", 'issuer={"device_interval":1}')
    emulator = Process(folder, "emulator", "emulator", "--port", str(port), *issuer)
    try:
        emulator.said(r"emulator on (\S+)")
        tables = channels(upstream) + f'[codex]\nissuer = "{upstream}"\n'
        running = running_fleet(folder, postgresql, tables, template=template)
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(running) as fleet,
            portal.wrap_async_context_manager(fleet.behind("haproxy", random=True)) as balancer,
        ):
            yield FleetStage(portal, fleet, balancer.url, upstream)
    finally:
        emulator.stop()
