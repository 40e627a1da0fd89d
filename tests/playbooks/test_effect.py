"""What an effect and its interval say, against published figures, and against chance."""

import random

import pytest

from playbooks.models import HoldoutMember
from playbooks.queries.effect import Effect, Stratum, effect, needed_in_each, smallest_effect
from playbooks.services.holdouts import STICK, draw

HELD_OUT = HoldoutMember.Arm.HELD_OUT

# Hillstrom's mail experiment: customers in each arm, and how many of them visited within two weeks.
NO_MAIL = (21306, 2262)
MENS_MAIL = (21307, 3894)
WOMENS_MAIL = (21387, 3238)


@pytest.mark.parametrize(
    ("mailed", "difference", "margin"), [(MENS_MAIL, 0.0766, 0.0066), (WOMENS_MAIL, 0.0452, 0.0063)]
)
def test_effect_of_a_mail_is_the_published_one(mailed: tuple[int, int], difference: float, margin: float) -> None:
    found = effect([Stratum(*mailed, *NO_MAIL)])

    assert found is not None
    assert found.difference == pytest.approx(difference, abs=0.00005)
    assert (found.high - found.low) / 2 == pytest.approx(margin, abs=0.0001)
    assert found.is_shown


def test_bands_are_compared_within_themselves() -> None:
    # The treated have more healthy accounts, who renew anyway: all together the playbook would seem to do 14 %.
    good = Stratum(treated=900, treated_met=810, held_out=500, held_out_met=450)
    poor = Stratum(treated=100, treated_met=40, held_out=500, held_out_met=200)

    found = effect([good, poor])

    assert found is not None
    assert found.difference == pytest.approx(0)
    assert not found.is_shown


def test_small_bands_are_counted_together() -> None:
    large = Stratum(treated=50, treated_met=25, held_out=50, held_out_met=20)
    small = [Stratum(treated=4, treated_met=2, held_out=3, held_out_met=1)] * 2

    together = Stratum(treated=8, treated_met=4, held_out=6, held_out_met=2)
    assert effect([large, *small]) == effect([large, together])


def test_no_effect_is_told_while_an_arm_is_empty() -> None:
    assert effect([]) is None
    assert effect([Stratum(treated=9, treated_met=3, held_out=0, held_out_met=0)]) is None


def test_interval_has_width_when_everybody_met_the_outcome() -> None:
    found = effect([Stratum(treated=20, treated_met=20, held_out=20, held_out_met=20)])

    assert found is not None
    assert found.low < 0 < found.high


@pytest.mark.parametrize("share", [0.2, 0.5])
@pytest.mark.parametrize("base", [0.1, 0.8])
def test_playbook_without_effect_is_said_to_have_one_in_about_five_of_a_hundred(share: float, base: float) -> None:
    chance = random.Random(f"{share} {base}")
    trials = 2000
    alarms = sum(_nothing_changed(chance, share, base).is_shown for _trial in range(trials))

    assert 0.04 <= alarms / trials <= 0.06


def _nothing_changed(chance: random.Random, share: float, base: float, accounts: int = 600) -> Effect:
    """What is found of a playbook that does nothing: arms drawn within three bands, whose outcomes differ by band."""
    strata = []
    for part, shift in ((0.5, 0.08), (0.3, 0.0), (0.2, -0.09)):
        entered = held = treated_met = held_met = 0
        for _account in range(int(accounts * part)):
            met = chance.random() < base + shift
            if draw(chance.random(), share, entered=entered, held=held) == HELD_OUT:
                held, held_met = held + 1, held_met + met
            else:
                treated_met += met
            entered += 1
        strata.append(Stratum(entered - held, treated_met, held, held_met))
    found = effect(strata)
    assert found is not None
    return found


def test_arms_stay_near_their_share_however_chance_falls() -> None:
    chance = random.Random(7)
    held = 0
    for entered in range(2000):
        assert abs(held - entered * 0.2) <= STICK + 1
        held += draw(chance.random(), 0.2, entered=entered, held=held) == HELD_OUT


def test_accounts_needed_are_those_of_the_textbook() -> None:
    # From 10 % to 15 %, 5 % false alarms and 80 % power: 683 in each arm by the formula without corrections.
    assert needed_in_each(0.10, 0.15) == pytest.approx(683, abs=1)
    assert smallest_effect(0.10, treated=683, held_out=683) == pytest.approx(0.05, abs=0.0001)


def test_nothing_can_be_found_in_arms_that_are_too_small() -> None:
    assert smallest_effect(0.5, treated=3, held_out=3) is None
    assert smallest_effect(0.5, treated=0, held_out=100) is None
