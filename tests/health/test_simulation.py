"""Simulations: a draft tried on the whole base beside the version in force, without writing a score."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.attributes import Catalogue, Context, Scope, read_facts
from accounts.models import Account, CustomField
from common.errors import Conflict
from health.models import (
    HealthDay,
    HealthScore,
    Measure,
    NamedScore,
    Override,
    SimulatedScore,
    Simulation,
    SimulationChunk,
    Version,
)
from health.queries.simulated_catalogue import SimulatedCatalogue
from health.queries.simulation import (
    changes,
    latest_simulation,
    left_out,
    migration_matrix,
    progress_of,
    spread,
)
from health.services import (
    compute_health,
    create_measure,
    create_profile,
    discard_draft,
    open_draft,
    publish,
    simulate_chunk,
    simulations,
    start_simulation,
    update_measure,
    update_profile,
)
from health.tasks import simulate as simulate_task
from health.tasks import simulate_next
from tests.factories import NOW, AccountFactory, SegmentFactory, SubscriptionFactory
from tests.health.simulated import HALF, draft_of_half, first_version, simulate, weigh
from tests.health.test_properties import ACCOUNTS, MEASURES, company, make_company

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulations, "CHUNK", 3)


def overall() -> NamedScore:
    return NamedScore.overall()


def moves(simulation: Simulation) -> dict[tuple[str, str], tuple[int, Decimal]]:
    found = migration_matrix(simulation, overall())
    return {(move.before, move.after): (move.accounts, move.mrr) for move in found}


def test_both_formulas_are_told_side_by_side() -> None:
    first = first_version()
    account = AccountFactory(seats=80)
    SubscriptionFactory(account=account, mrr=Decimal("250.00"))
    draft = draft_of_half()

    simulation = simulate(draft)

    row = SimulatedScore.objects.get()
    assert (row.score_before, row.band_before) == (80, "good")
    assert (row.score_after, row.band_after) == (40, "watch")
    assert (row.values_before, row.points_before) == ([80], [80])
    assert (row.values_after, row.points_after) == ([80], [40])
    assert (row.profile_before, row.profile_after) == (first.profiles.get().pk, draft.profiles.get().pk)
    assert row.mrr == 250
    assert (simulation.against, simulation.finished_at, simulation.is_complete) == (first, NOW, True)
    assert simulation.profiles[str(row.profile_after)]["parts"] == [["seats", "Seats", 1.0]]
    assert not HealthScore.objects.exists()
    assert not HealthDay.objects.exists()


def test_matrix_counts_accounts_and_their_money() -> None:
    first_version()
    for seats, mrr in ((90, 100), (80, 50), (50, 10), (10, 5), (None, 1)):
        SubscriptionFactory(account=AccountFactory(seats=seats), mrr=Decimal(mrr))
    AccountFactory(seats=95, ended_at=NOW - timedelta(days=400))

    simulation = simulate(draft_of_half())

    assert moves(simulation) == {
        ("good", "watch"): (2, Decimal(150)),
        ("watch", "poor"): (1, Decimal(10)),
        ("poor", "poor"): (1, Decimal(5)),
        ("none", "none"): (1, Decimal(1)),
    }
    found = changes(simulation, overall())
    assert (found.accounts, found.changed, found.rising, found.falling) == (5, 4, 0, 4)
    assert found.median == pytest.approx(32.5)
    assert found.p95 == pytest.approx(44.25)
    told = spread(simulation, overall())
    assert dict(zip(told.bounds, told.before, strict=True))[90] == 1
    assert dict(zip(told.bounds, told.after, strict=True))[45] == 1
    assert sum(told.before) == sum(told.after) == 4


def test_unchanged_draft_changes_nothing() -> None:
    first_version(seats=1, tickets=2)
    AccountFactory.create_batch(3, seats=70)

    simulation = simulate(open_draft(by=None, now=NOW))

    assert changes(simulation, overall()).changed == 0
    assert changes(simulation, overall()).median is None
    assert moves(simulation) == {("good", "good"): (3, Decimal(0))}


def test_accounts_that_only_one_formula_scores_go_from_or_to_no_score() -> None:
    first_version()
    AccountFactory(seats=90, touch_model=Account.TouchModel.HIGH_TOUCH)
    AccountFactory(seats=90)
    draft = open_draft(by=None, now=NOW)
    few = {"attribute": "touch_model", "operator": "in", "value": ["high_touch"]}
    update_profile(profile=draft.profiles.get(), segment=SegmentFactory(key="few", condition=few), now=NOW)
    draft.refresh_from_db()

    simulation = simulate(draft)

    assert moves(simulation) == {("good", "good"): (1, Decimal(0)), ("good", "none"): (1, Decimal(0))}
    assert changes(simulation, overall()).changed == 1


def test_override_is_set_aside_by_both() -> None:
    first_version()
    account = AccountFactory(seats=80)
    Override.objects.create(
        account=account,
        named=overall(),
        score=5,
        reason="They told us",
        created_at=NOW,
        expires_at=NOW + timedelta(days=30),
    )
    compute_health(scope=Scope.everything(), now=NOW)
    assert HealthScore.objects.get().score == 5

    simulate(draft_of_half())

    row = SimulatedScore.objects.get()
    assert (row.score_before, row.score_after) == (80, 40)


def test_first_draft_of_all_is_compared_with_nothing() -> None:
    draft = open_draft(by=None, now=NOW)
    create_measure(draft=draft, key="seats", label="Seats", attribute="seats", curve=HALF, now=NOW)
    create_profile(draft=draft, name="All", segment=SegmentFactory(key="all"), weights={"seats": 1}, now=NOW)
    draft.refresh_from_db()
    AccountFactory(seats=80)

    simulation = simulate(draft)

    assert simulation.against is None
    assert moves(simulation) == {("none", "watch"): (1, Decimal(0))}


def test_every_named_score_is_simulated() -> None:
    first_version()
    AccountFactory(seats=80)
    fit = NamedScore.objects.create(key="fit", label="Fit", position=1)
    draft = open_draft(by=None, now=NOW)
    create_profile(
        draft=draft, named=fit, name="Fit", segment=draft.profiles.get().segment, weights={"tickets": 1}, now=NOW
    )
    draft.refresh_from_db()

    simulation = simulate(draft)

    assert [(m.before, m.after) for m in migration_matrix(simulation, fit)] == [("none", "good")]
    assert moves(simulation) == {("good", "good"): (1, Decimal(0))}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(before=MEASURES, after=MEASURES, accounts=ACCOUNTS, data=st.data())
def test_simulation_equals_publishing(before: Any, after: Any, accounts: Any, data: Any) -> None:
    with company():
        make_company(before, accounts)
        draft = open_draft(by=None, now=NOW)
        weights = {}
        for number, (attribute, curve, missing, weight) in enumerate(after):
            key = f"n{number}"
            create_measure(draft=draft, key=key, label=key, attribute=attribute, curve=curve, missing=missing, now=NOW)
            weights[key] = weight
        good = data.draw(st.integers(2, 100))
        update_profile(
            profile=draft.profiles.get(),
            weights=weights,
            good_from=good,
            watch_from=data.draw(st.integers(1, good - 1)),
            now=NOW,
        )
        draft.refresh_from_db()
        simulate(draft)
        told = {row.account_id: row for row in SimulatedScore.objects.all()}
        compute_health(scope=Scope.everything(), now=NOW)
        was = {row.account_id: row for row in HealthScore.objects.all()}
        publish(draft=draft, by=None, note="As simulated", now=NOW)
        compute_health(scope=Scope.everything(), now=NOW)
        now = {row.account_id: row for row in HealthScore.objects.all()}

        assert told.keys() == was.keys() == now.keys()
        for pk, row in told.items():
            assert row.score_before == pytest.approx(was[pk].score, abs=1e-9)
            assert row.score_after == pytest.approx(now[pk].score, abs=1e-9)
            assert (row.band_before, row.band_after) == (was[pk].band, now[pk].band)
            assert (row.stale_before, row.stale_after) == (was[pk].stale, now[pk].stale)
            assert list(map(str, row.values_after)) == list(map(str, now[pk].values))
            assert row.points_after == now[pk].points


def test_simulation_goes_on_when_it_was_interrupted(small_chunks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first_version()
    AccountFactory.create_batch(7, seats=80)
    simulation = start_simulation(draft=draft_of_half(), by=None, now=NOW)
    assert simulate_chunk(now=NOW)

    def die(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(simulations, "_keep", die)
        with pytest.raises(KeyboardInterrupt):
            simulate_chunk(now=NOW)

    assert (progress_of(simulation).done, progress_of(simulation).total) == (1, 3)
    while simulate_chunk(now=NOW):
        pass
    assert SimulatedScore.objects.filter(score_after=40).count() == 7
    assert progress_of(simulation).share == 1
    simulation.refresh_from_db()
    assert simulation.is_complete


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_a_simulation(small_chunks: None) -> None:
    first_version()
    AccountFactory.create_batch(10, seats=80)
    start_simulation(draft=draft_of_half(), by=None, now=NOW)
    together = Barrier(2)

    def work() -> int:
        together.wait()
        done = 0
        while simulate_chunk(now=NOW):
            done += 1
        connection.close()
        return done

    with ThreadPoolExecutor(2) as workers:
        done = [worker.result() for worker in [workers.submit(work), workers.submit(work)]]

    assert sum(done) == 4
    assert SimulatedScore.objects.count() == 10
    assert Simulation.objects.get().is_complete


def test_tasks_ring_for_each_other_until_all_is_done(small_chunks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first_version()
    AccountFactory.create_batch(7, seats=80)
    simulation = start_simulation(draft=draft_of_half(), by=None, now=NOW)
    rung: list[None] = []
    monkeypatch.setattr(simulate_next, "delay", lambda: rung.append(None))

    simulate_task()
    assert len(rung) == 3
    simulate_next()
    assert len(rung) == 4
    simulate_task()
    assert len(rung) == 4, "one that runs is not rung for again"
    SimulationChunk.objects.filter(done_at__isnull=False).update(done_at=NOW - timedelta(minutes=1))
    simulate_task()
    assert len(rung) == 6, "one that stands still is"
    simulate_next()
    simulate_next()
    simulate_next()
    assert len(rung) == 8
    simulation.refresh_from_db()
    assert simulation.is_complete


def test_started_twice_it_is_the_same_simulation() -> None:
    first_version()
    AccountFactory(seats=80)
    draft = draft_of_half()

    assert start_simulation(draft=draft, by=None, now=NOW) == start_simulation(draft=draft, by=None, now=NOW)


def test_running_simulation_is_given_up_when_its_draft_changes(small_chunks: None) -> None:
    first_version()
    AccountFactory.create_batch(7, seats=80)
    draft = draft_of_half()
    simulation = start_simulation(draft=draft, by=None, now=NOW)
    simulate_chunk(now=NOW)
    weigh(draft, now=NOW + timedelta(minutes=1), seats=3)

    assert simulate_chunk(now=NOW)
    assert not simulate_chunk(now=NOW)

    simulation.refresh_from_db()
    assert simulation.problem == Simulation.Problem.DRAFT_CHANGED
    assert not simulation.is_complete
    assert SimulatedScore.objects.count() == 3


def test_simulation_is_out_of_date_when_draft_or_version_in_force_changes() -> None:
    first_version()
    AccountFactory(seats=80)
    draft = draft_of_half()
    simulation = simulate(draft)
    assert not simulation.is_out_of_date(NOW)

    later = NOW + timedelta(hours=1)
    update_measure(measure=draft.measures.get(key="seats"), label="Seats taken", now=later)

    found = latest_simulation(draft)
    assert found == simulation
    assert found.is_out_of_date(later)
    again = simulate(Version.objects.draft().get(), now=later)
    assert not again.is_out_of_date(later)
    Version.objects.filter(pk=again.against_id).update(effective_at=later + timedelta(hours=1))
    assert again.is_out_of_date(later)


def test_only_the_last_three_are_kept() -> None:
    first_version()
    AccountFactory(seats=80)
    made = [simulate(draft_of_half(now=NOW + timedelta(hours=n)), now=NOW + timedelta(hours=n)) for n in range(5)]

    assert set(Simulation.objects.all()) == set(made[-3:])
    assert SimulatedScore.objects.count() == 3


def test_simulation_goes_with_its_draft() -> None:
    first_version()
    AccountFactory(seats=80)
    draft = draft_of_half()
    simulate(draft)

    discard_draft(draft=draft, now=NOW)

    assert not Simulation.objects.exists()
    assert not SimulatedScore.objects.exists()


def test_published_version_is_refused() -> None:
    with pytest.raises(Conflict, match="only a draft"):
        start_simulation(draft=first_version(), by=None, now=NOW)


def test_broken_measure_is_reported_and_does_not_stop_it() -> None:
    first_version(seats=1, tickets=1)
    AccountFactory(seats=80)
    draft = draft_of_half()
    Measure.objects.filter(version=draft, key="tickets").update(attribute="custom.gone")

    simulation = simulate(draft)

    row = SimulatedScore.objects.get()
    assert (row.score_before, row.score_after) == (90, 40)
    assert row.points_after == [40, None]
    [told] = left_out(simulation)
    assert told.is_draft
    assert told.problem.measure is not None
    assert told.problem.measure.label == "Tickets"
    assert simulation.is_complete


def test_value_that_cannot_be_read_is_reported_and_does_not_stop_it() -> None:
    first_version(seats=1, tickets=1)
    AccountFactory(seats=80)
    AccountFactory(seats=80, custom={"rating": "not a truth"})
    CustomField.objects.create(key="rating", label="Rating", type=CustomField.Type.BOOLEAN)
    draft = draft_of_half()
    table = {"true": 100, "false": 0}
    create_measure(draft=draft, key="rating", label="Rating", attribute="custom.rating", curve=table, now=NOW)
    weigh(draft, seats=1, rating=1)

    simulation = simulate(draft)

    assert simulation.is_complete
    assert simulation.failing == ["custom.rating"]
    assert [(one.problem.measure.key, one.is_draft) for one in left_out(simulation) if one.problem.measure] == [
        ("rating", True)
    ]
    assert set(SimulatedScore.objects.values_list("score_after", flat=True)) == {40}


def test_simulation_finishes_when_there_is_no_account() -> None:
    first_version()

    simulation = start_simulation(draft=draft_of_half(), by=None, now=NOW)

    assert simulation.is_complete
    assert migration_matrix(simulation, overall()) == []
    assert changes(simulation, overall()).accounts == 0


def test_attributes_of_health_are_those_that_publishing_gives() -> None:
    first_version(seats=1, tickets=1)
    parent = AccountFactory(seats=80)
    made = [parent, *(AccountFactory(seats=seats, parent=parent) for seats in (30, 95, None))]
    for account in made[1:]:
        SubscriptionFactory(account=account, mrr=Decimal(account.pk))
    compute_health(scope=Scope.everything(), now=NOW)
    fit = NamedScore.objects.create(key="fit", label="Fit", position=1)
    draft = draft_of_half()
    create_measure(draft=draft, key="new", label="New", attribute="customer_days", curve=HALF, missing="worst", now=NOW)
    create_profile(
        draft=draft, named=fit, name="Fit", segment=draft.profiles.get().segment, weights={"tickets": 1}, now=NOW
    )
    update_profile(profile=draft.profiles.get(named=overall()), weights={"tickets": 1, "seats": 2, "new": 1}, now=NOW)
    draft.refresh_from_db()
    simulation = simulate(draft)
    keys = [key for key in Catalogue() if key == "health" or key.startswith("health.")]

    def values(catalogue: Catalogue) -> dict[int, dict[str, Any]]:
        wanted = [catalogue[key] for key in keys]
        found = read_facts(wanted, [account.pk for account in made], context=Context.at(NOW))
        return {pk: {key: fact.value for key, fact in facts.items()} for pk, facts in found.items()}

    assert values(SimulatedCatalogue(simulation=simulation, is_after=False)) == values(Catalogue())
    told = values(SimulatedCatalogue(simulation=simulation, is_after=True))
    publish(draft=draft, by=None, note="As simulated", now=NOW)
    compute_health(scope=Scope.everything(), now=NOW)

    # The slope over the last days has today's score in it.
    by_days = {key for key in keys if key.endswith(".velocity")}
    for pk, published in values(Catalogue()).items():
        for key in set(keys) - by_days:
            assert told[pk][key] == (
                pytest.approx(published[key]) if isinstance(published[key], float) else published[key]
            ), key
