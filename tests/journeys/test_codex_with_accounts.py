"""The real Codex CLI before a channel that speaks for ChatGPT accounts: tokens die, plans run out.

Law: what a new token or another account can make good, Codex never hears of.
"""

import time
from datetime import UTC, datetime

import pytest

from longwire.app import opening
from longwire.emulator import IssuerOptions, Options, Script
from longwire.emulator.issuer import account_of
from tests.conftest import serving
from tests.journeys.accounts import ADA, BOB, opened, settings_of, signed_in
from tests.journeys.codex import answer_of

ROUNDS = 5
CALLS = {"tool_rounds": ROUNDS, "tool": "exec_command", "arguments": '{"cmd":"echo hi"}'}
OPEN, SEALED = Script(reasoning=False, **CALLS), Script(**CALLS)
"""Turns that any account can read, and turns whose reasoning only one can."""


@pytest.fixture
def options():
    """An upstream that signs people in."""
    return Options(issuer=IssuerOptions(people=(ADA, BOB)))


@pytest.fixture
def people():
    """Whose accounts the channel has."""
    return (ADA, BOB)


@pytest.fixture
async def gateway(emulator, tmp_path, people):
    """A gateway with a codex channel of these people."""
    settings = settings_of(emulator, tmp_path)
    async with opened(settings) as store:
        await signed_in(store, emulator, *people)
        async with serving(settings, opening(settings)) as running:
            yield running


def after_turns(emulator, count, befall):
    """Let something befall the upstream when so many turns were answered, warm-ups among them."""

    def note(_line):
        if sum(turn.status == "completed" for turn in emulator.turns) == count:
            befall()

    emulator.journal.on_turn = note


def accounts_of(emulator):
    """The accounts that turns were answered for, as the upstream tells them, without repeats."""
    answered = [turn for turn in emulator.turns if turn.status == "completed"]
    return list(dict.fromkeys(turn.fingerprint for turn in answered))


def served_first(emulator):
    """Who answers the session."""
    (only,) = accounts_of(emulator)
    return next(person for person in (ADA, BOB) if account_of(person).endswith(only))


def use_up(emulator, *people):
    """Let the plans of some people be used up, of the first one for the shortest time."""
    limits = {person: time.time() + 3600 * hours for hours, person in enumerate(people, 2)}
    emulator.issuer.limits.update(limits)


def first_reset(emulator):
    """The time of the first reset, as Codex writes it."""
    reset = datetime.fromtimestamp(min(emulator.issuer.limits.values()), UTC)
    return reset.astimezone().strftime("%-I:%M %p")


@pytest.mark.parametrize("people", [(ADA,)], ids=["one account"])
async def test_a_token_that_dies_in_mid_session_is_renewed(codex, emulator, overheard):
    """The upstream answers 401 on an open connection; one renewal later all goes on."""
    emulator.script = SEALED
    after_turns(emulator, 3, lambda: emulator.issuer.revoke_access(ADA))
    ran = await codex.run("say hi")
    assert (ran.code, ran.answer) == (0, answer_of(emulator)), ran.said
    assert {"Reconnecting", "401"}.isdisjoint(ran.said.split()), ran.said
    assert 1 == emulator.issuer.counters["refresh"]
    assert 2 == emulator.counters.sockets_opened
    assert overheard.agrees_with(emulator)


async def test_a_used_up_account_hands_over(codex, emulator, overheard):
    """What any account can read moves to the other one in mid-session."""
    emulator.script = OPEN
    after_turns(emulator, 3, lambda: use_up(emulator, served_first(emulator)))
    ran = await codex.run("say hi")
    assert (ran.code, ran.answer) == (0, answer_of(emulator)), ran.said
    assert "Reconnecting" not in ran.said
    assert "usage limit" not in ran.said.lower(), ran.said
    assert 2 == len(accounts_of(emulator))
    assert overheard.agrees_with(emulator)


async def test_when_all_are_used_up_codex_says_when_it_goes_on(codex, emulator):
    """It tells the limit in its own words, with the first reset of all, and gives up at once."""
    emulator.script = OPEN
    after_turns(emulator, 3, lambda: use_up(emulator, BOB, ADA))
    ran = await codex.run("say hi")
    assert ran.code != 0
    assert "usage limit" in ran.said, ran.said
    assert f"{first_reset(emulator)}." in ran.said, ran.said
    assert "Reconnecting" not in ran.said
    assert 1 == len(accounts_of(emulator))


async def test_reasoning_that_is_sealed_stays_with_its_account(codex, emulator):
    """Another account cannot read it: nothing goes there, and Codex hears of the limit."""
    emulator.script = SEALED
    after_turns(emulator, 3, lambda: use_up(emulator, served_first(emulator)))
    ran = await codex.run("say hi")
    assert ran.code != 0
    assert "usage limit" in ran.said, ran.said
    assert f"{first_reset(emulator)}." in ran.said, ran.said
    assert "Reconnecting" not in ran.said
    assert 1 == len(accounts_of(emulator))
