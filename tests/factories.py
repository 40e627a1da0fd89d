"""Factories of what tests need; each makes the smallest thing that is valid."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.models import Account, Contact, Leave, Plan, Rating, Segment, Stage, Ticket, Touchpoint, User
from health.models import Measure, NamedScore, Override, Profile, ProfileMeasure, Version
from playbooks.models import Playbook, Task
from revenue.models import Invoice, Subscription
from surveys.models import Survey
from usage.models import AccountActivity, Feature, PlanFeature, RollingUsage

NOW = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PASSWORD = "correct horse battery"


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"csm{n}@example.com")
    name = factory.Sequence(lambda n: f"Casey Manager {n}")
    role = User.Role.CSM

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return User.objects.create_user(kwargs.pop("email"), kwargs.pop("password", PASSWORD), **kwargs)


class LeaveFactory(DjangoModelFactory[Leave]):
    class Meta:
        model = Leave

    user = factory.SubFactory(UserFactory)
    starts_on = NOW.date()
    ends_on = NOW.date()


class PlanFactory(DjangoModelFactory[Plan]):
    class Meta:
        model = Plan

    key = factory.Sequence(lambda n: f"plan-{n}")
    name = factory.Sequence(lambda n: f"Plan {n}")


class StageFactory(DjangoModelFactory[Stage]):
    class Meta:
        model = Stage

    key = factory.Sequence(lambda n: f"stage-{n}")
    name = factory.Sequence(lambda n: f"Stage {n}")
    position = factory.Sequence(lambda n: n + 1)


class AccountFactory(DjangoModelFactory[Account]):
    class Meta:
        model = Account

    name = factory.Sequence(lambda n: f"Account {n}")
    external_id = factory.Sequence(lambda n: f"acc-{n}")


class ContactFactory(DjangoModelFactory[Contact]):
    class Meta:
        model = Contact

    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Contact {n}")
    email = factory.Sequence(lambda n: f"contact{n}@customer.example")


class SegmentFactory(DjangoModelFactory[Segment]):
    class Meta:
        model = Segment

    key = factory.Sequence(lambda n: f"segment-{n}")
    name = factory.Sequence(lambda n: f"Segment {n}")
    priority = factory.Sequence(lambda n: n + 1)
    condition = factory.LazyFunction(lambda: {"all": []})


class TicketFactory(DjangoModelFactory[Ticket]):
    class Meta:
        model = Ticket

    account = factory.SubFactory(AccountFactory)
    source = "desk"
    external_id = factory.Sequence(lambda n: f"ticket-{n}")
    subject = "It does not work"
    opened_at = NOW


class TouchpointFactory(DjangoModelFactory[Touchpoint]):
    class Meta:
        model = Touchpoint

    account = factory.SubFactory(AccountFactory)
    kind = Touchpoint.Kind.CALL
    summary = "Spoke about the plan for spring"
    happened_at = NOW


class RatingFactory(DjangoModelFactory[Rating]):
    class Meta:
        model = Rating

    account = factory.SubFactory(AccountFactory)
    value = Rating.Value.FAIR
    rated_at = NOW


class SubscriptionFactory(DjangoModelFactory[Subscription]):
    class Meta:
        model = Subscription

    account = factory.SubFactory(AccountFactory)
    mrr = Decimal("100.00")
    currency = "USD"
    started_on = date(2025, 6, 1)


class InvoiceFactory(DjangoModelFactory[Invoice]):
    class Meta:
        model = Invoice

    account = factory.SubFactory(AccountFactory)
    source = "billing"
    external_id = factory.Sequence(lambda n: f"invoice-{n}")
    amount = Decimal("100.00")
    currency = "USD"
    issued_on = date(2026, 3, 1)
    due_on = date(2026, 3, 31)


class FeatureFactory(DjangoModelFactory[Feature]):
    class Meta:
        model = Feature

    key = factory.Sequence(lambda n: f"feature-{n}")
    name = factory.Sequence(lambda n: f"Feature {n}")


class PlanFeatureFactory(DjangoModelFactory[PlanFeature]):
    class Meta:
        model = PlanFeature

    plan = factory.SubFactory(PlanFactory)
    feature = factory.SubFactory(FeatureFactory)


class ActivityFactory(DjangoModelFactory[AccountActivity]):
    class Meta:
        model = AccountActivity

    account = factory.SubFactory(AccountFactory)
    first_event_at = NOW
    last_event_at = NOW


class RollingUsageFactory(DjangoModelFactory[RollingUsage]):
    class Meta:
        model = RollingUsage

    account = factory.SubFactory(AccountFactory)
    feature = factory.SubFactory(FeatureFactory)
    first_day = NOW.date()
    last_day = NOW.date()


def version_in_force() -> Version:
    """The one version that measures and profiles of factories belong to, in force for ever."""
    return Version.objects.get_or_create(
        number=1,
        defaults={
            "created_at": LONG_AGO,
            "changed_at": LONG_AGO,
            "published_at": LONG_AGO,
            "effective_at": LONG_AGO,
            "note": "First version",
        },
    )[0]


class VersionFactory(DjangoModelFactory[Version]):
    """An earlier version than the one in force."""

    class Meta:
        model = Version

    number = factory.Sequence(lambda n: n + 1000)
    created_at = changed_at = published_at = effective_at = datetime(2019, 1, 1, tzinfo=UTC)


class NamedScoreFactory(DjangoModelFactory[NamedScore]):
    class Meta:
        model = NamedScore

    key = factory.Sequence(lambda n: f"score-{n}")
    label = factory.Sequence(lambda n: f"Score {n}")


class MeasureFactory(DjangoModelFactory[Measure]):
    class Meta:
        model = Measure

    version = factory.LazyFunction(version_in_force)
    key = factory.Sequence(lambda n: f"measure-{n}")
    label = factory.Sequence(lambda n: f"Measure {n}")
    group = Measure.Group.USAGE
    attribute = "seats"
    curve = factory.LazyFunction(lambda: [[0, 0], [100, 100]])


class ProfileFactory(DjangoModelFactory[Profile]):
    class Meta:
        model = Profile

    version = factory.LazyFunction(version_in_force)
    named = factory.LazyFunction(NamedScore.overall)
    name = factory.Sequence(lambda n: f"Profile {n}")
    segment = factory.SubFactory(SegmentFactory)


class OverrideFactory(DjangoModelFactory[Override]):
    """A score set by hand that still holds."""

    class Meta:
        model = Override

    account = factory.SubFactory(AccountFactory)
    named = factory.LazyFunction(NamedScore.overall)
    score = 50
    reason = "They told us in person"
    created_at = LONG_AGO
    expires_at = datetime(2100, 1, 1, tzinfo=UTC)


class ProfileMeasureFactory(DjangoModelFactory[ProfileMeasure]):
    class Meta:
        model = ProfileMeasure

    profile = factory.SubFactory(ProfileFactory)
    measure = factory.SubFactory(MeasureFactory)


class PlaybookFactory(DjangoModelFactory[Playbook]):
    class Meta:
        model = Playbook

    key = factory.Sequence(lambda n: f"playbook-{n}")
    name = factory.Sequence(lambda n: f"Playbook {n}")


class TaskFactory(DjangoModelFactory[Task]):
    class Meta:
        model = Task

    account = factory.SubFactory(AccountFactory)
    owner = factory.SubFactory(UserFactory)
    title = factory.Sequence(lambda n: f"Call them {n}")
    due_at = NOW
    created_at = NOW


class SurveyFactory(DjangoModelFactory[Survey]):
    class Meta:
        model = Survey

    key = factory.Sequence(lambda n: f"survey-{n}")
    name = factory.Sequence(lambda n: f"Survey {n}")
    kind = Survey.Kind.NPS
