"""Sweeps: the whole base in chunks, gone on with after an interruption, harmless when two run at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction

from accounts.attributes import Scope
from accounts.models import Account, Event
from accounts.services.ledger import touch
from health.models import HealthDay, HealthScore, Sweep, SweepChunk
from health.services import (
    compute,
    compute_chunk,
    compute_health,
    compute_touched,
    sweep_anew,
    sweep_if_due,
    sweeps,
)
from health.tasks import recompute_all, recompute_chunk, recompute_touched
from tests.factories import NOW, AccountFactory, MeasureFactory, ProfileFactory, ProfileMeasureFactory


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "CHUNK", 3)
    monkeypatch.setattr(compute, "BLOCK", 3)


def make_base(count: int) -> None:
    ProfileMeasureFactory(profile=ProfileFactory(), measure=MeasureFactory(key="seats"))
    AccountFactory.create_batch(count, seats=80)


@pytest.mark.django_db
def test_sweep_computes_every_account_once_in_chunks(small_chunks: None) -> None:
    make_base(7)

    assert sweep_if_due(now=NOW) == 3
    assert sweep_if_due(now=NOW) == 3
    while compute_chunk(now=NOW):
        pass

    assert HealthScore.objects.filter(score=80).count() == 7
    blocks = Counter(pk // 3 for pk in Account.objects.values_list("pk", flat=True))
    assert list(SweepChunk.objects.order_by("-first_id").values_list("scored", flat=True)) == [
        blocks[block] for block in sorted(blocks, reverse=True)
    ]
    assert Sweep.objects.get().finished_at == NOW


@pytest.mark.django_db
def test_sweep_begins_with_the_last_accounts(small_chunks: None) -> None:
    """Touched accounts are computed lowest first: going the same way, one would follow the other to the end."""
    make_base(7)
    sweep_if_due(now=NOW)

    compute_chunk(now=NOW)

    scored = set(HealthScore.objects.values_list("account_id", flat=True))
    others = Account.objects.exclude(pk__in=scored).values_list("pk", flat=True)
    assert min(scored) > max(others)


@pytest.mark.django_db
def test_planner_knows_the_scores_when_a_sweep_is_finished() -> None:
    make_base(7)
    sweep_if_due(now=NOW)
    while compute_chunk(now=NOW):
        pass

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT histogram_bounds::text::bigint[] FROM pg_stats"
            " WHERE tablename = 'health_healthscore' AND attname = 'account_id'"
        )
        assert cursor.fetchone()[0] == list(Account.objects.order_by("pk").values_list("pk", flat=True))


@pytest.mark.django_db
def test_sweep_takes_several_blocks_as_one_chunk_when_few_accounts_are_left_in_them(small_chunks: None) -> None:
    make_base(30)
    Account.objects.filter(pk__in=[pk for pk in Account.objects.values_list("pk", flat=True) if pk % 10]).delete()

    assert sweep_if_due(now=NOW) == 1
    compute_chunk(now=NOW)

    assert HealthScore.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_chunks_and_their_neighbours_are_computed_at_once(small_chunks: None) -> None:
    make_base(9)
    compute_health(scope=Scope.everything(), now=NOW)
    Account.objects.update(seats=20)
    sweep_if_due(now=NOW)

    def compute_the_others() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
        while compute_chunk(now=NOW):
            pass
        connection.close()

    with ThreadPoolExecutor(1) as workers, transaction.atomic():
        compute_chunk(now=NOW)
        workers.submit(compute_the_others).result()

    assert HealthScore.objects.filter(score=20).count() == 9


@pytest.mark.django_db
def test_sweep_starts_again_only_when_an_hour_has_passed(small_chunks: None) -> None:
    make_base(2)
    sweep_if_due(now=NOW)
    compute_chunk(now=NOW)

    assert sweep_if_due(now=NOW + timedelta(minutes=59)) == 0
    assert sweep_if_due(now=NOW + timedelta(minutes=60)) == 1
    assert Sweep.objects.count() == 2


@pytest.mark.django_db
def test_sweep_goes_on_when_it_was_interrupted(small_chunks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    make_base(7)
    sweep_if_due(now=NOW)
    compute_chunk(now=NOW)

    def die(*, scope: Scope, now: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(sweeps, "compute_health", die)
        with pytest.raises(KeyboardInterrupt):
            compute_chunk(now=NOW)

    assert sweep_if_due(now=NOW + timedelta(hours=3)) == 2
    while compute_chunk(now=NOW):
        pass
    assert HealthScore.objects.count() == 7
    assert Sweep.objects.count() == 1


@pytest.mark.django_db
def test_sweep_begins_anew_when_definitions_change(small_chunks: None) -> None:
    make_base(7)
    sweep_if_due(now=NOW)
    compute_chunk(now=NOW)

    sweep_anew(now=NOW)

    assert SweepChunk.objects.filter(done_at=None).count() == 3
    assert Sweep.objects.count() == 1


@pytest.mark.django_db
def test_sweep_finishes_when_there_is_no_account() -> None:
    assert sweep_if_due(now=NOW) == 0
    assert Sweep.objects.get().finished_at == NOW


@pytest.mark.django_db
def test_tasks_compute_what_waits(small_chunks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    make_base(7)
    rung: list[None] = []
    monkeypatch.setattr(recompute_chunk, "delay", lambda: rung.append(None))

    recompute_all()
    assert len(rung) == 3
    recompute_chunk()
    assert len(rung) == 4
    assert HealthScore.objects.count() == SweepChunk.objects.exclude(done_at=None).get().scored

    touch(Account.objects.values_list("pk", flat=True))
    recompute_touched()
    assert HealthScore.objects.count() == 7


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_do_no_harm_when_they_run_at_once(small_chunks: None) -> None:
    make_base(10)
    compute_health(scope=Scope.everything(), now=NOW)
    Account.objects.update(seats=20)
    touch(Account.objects.values_list("pk", flat=True))
    sweep_if_due(now=NOW)
    together = Barrier(3)

    def sweep() -> None:
        together.wait()
        while compute_chunk(now=NOW):
            pass
        connection.close()

    def follow() -> None:
        together.wait()
        while compute_touched(now=NOW, limit=4):
            pass
        connection.close()

    with ThreadPoolExecutor(3) as workers:
        for done in [workers.submit(sweep), workers.submit(sweep), workers.submit(follow)]:
            done.result()

    assert HealthScore.objects.filter(score=20, band="poor").count() == 10
    assert HealthDay.objects.filter(score=20).count() == 10
    assert Event.objects.filter(kind="health.band_changed").count() == 10


@pytest.mark.django_db(transaction=True)
def test_later_look_wins_when_an_earlier_computation_is_still_under_way() -> None:
    make_base(1)

    def look_again() -> None:
        Account.objects.update(seats=20)
        compute_health(scope=Scope.everything(), now=NOW)
        connection.close()

    with ThreadPoolExecutor(1) as workers:
        with transaction.atomic():
            compute_health(scope=Scope.everything(), now=NOW)
            later = workers.submit(look_again)
        later.result()

    assert HealthScore.objects.get().score == 20
