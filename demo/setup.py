"""The demo company's own set-up: staff, plans, features, stages, segments, health, surveys and playbooks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from accounts.models import CustomField, Plan, Segment, Stage, User, Workspace
from accounts.services.segments import save_segment
from demo import DEMO_PASSWORD, catalogue
from demo.activity import included
from demo.formula import first_version
from demo.plays import PLAYBOOKS
from playbooks.models import Playbook
from playbooks.services import publish
from surveys.models import Survey
from usage.models import Feature, PlanFeature

SIGN_IN_ROLES = ("admin", "leader", "csm")


@dataclass(frozen=True, slots=True)
class SetUp:
    """The rows that customers refer to, by their keys; users by their address."""

    users: dict[str, User]
    plans: dict[str, Plan]
    features: dict[str, Feature]
    stages: dict[str, Stage]
    surveys: dict[str, Survey]


def set_up(*, now: datetime) -> SetUp:
    """Make everything that a customer success team defines before its first customer; returns what customers need."""
    Workspace.objects.filter(pk=Workspace.current().pk).update(
        time_zone=catalogue.TIME_ZONE, currency=catalogue.CURRENCY, holiday_country="BG"
    )
    rows = SetUp(
        users=_users(),
        plans=_by_key(Plan.objects.bulk_create(Plan(key=key, name=name) for key, name, _price in catalogue.PLANS)),
        features=_features(),
        stages=_by_key(
            Stage.objects.bulk_create(
                Stage(key=key, name=name, position=position, target_days=days, is_lost=is_lost)
                for position, (key, name, days, is_lost) in enumerate(catalogue.STAGES, start=1)
            )
        ),
        surveys=_by_key(
            Survey.objects.bulk_create(
                Survey(key=key, name=name, kind=kind, sender_name=catalogue.SENDER, remind_after_days=reminds)
                for key, name, kind, reminds in catalogue.SURVEYS
            )
        ),
    )
    PlanFeature.objects.bulk_create(
        PlanFeature(plan=plan, feature=rows.features[feature])
        for plan in rows.plans.values()
        for feature, _rate in included(plan.key)
    )
    CustomField.objects.bulk_create(
        CustomField(key=key, label=label, type=type_, choices=choices, unit=unit)
        for key, label, type_, choices, unit in catalogue.CUSTOM_FIELDS
    )
    first_version(_segments(), author=rows.users["admin@demo.example"], now=now)
    _playbooks(author=rows.users["admin@demo.example"], now=now)
    return rows


Row = TypeVar("Row", Plan, Stage, Survey, Feature, Segment)


def _by_key(rows: Iterable[Row]) -> dict[str, Row]:
    return {row.key: row for row in rows}


def _users() -> dict[str, User]:
    return {
        colleague.email: User.objects.create_user(
            colleague.email,
            DEMO_PASSWORD if colleague.email.partition("@")[0] in SIGN_IN_ROLES else None,
            name=colleague.name,
            role=colleague.role,
            weekly_hours=colleague.hours,
            is_senior=colleague.is_senior,
        )
        for colleague in catalogue.STAFF
    }


def _features() -> dict[str, Feature]:
    return _by_key(
        Feature.objects.bulk_create(
            Feature(
                key=key,
                name=name,
                is_essential=key in catalogue.ESSENTIAL,
                defines_value=key in catalogue.DEFINES_VALUE,
            )
            for key, name, _least, _rate in catalogue.FEATURES
        )
    )


def _segments() -> dict[str, Segment]:
    return _by_key(
        save_segment(
            segment=Segment(key=key, name=name, description=description, condition=condition, priority=priority)
        )
        for priority, (key, name, description, condition) in enumerate(catalogue.SEGMENTS, start=1)
    )


def _playbooks(*, author: User, now: datetime) -> None:
    for plan in PLAYBOOKS:
        playbook = Playbook.objects.create(key=plan.key, name=plan.name, description=plan.description)
        if not plan.is_draft:
            publish(playbook=playbook, definition=plan.definition, author=author, note="First version", now=now)
