"""What the sample pages show: every component once, with words as long as real ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils import timezone

from console.actions import ACTIONS, GO

ACCOUNTS = ("Northwind Logistics", "Blue Harbor Clinics", "Acme Robotics", "Juniper & Pine", "Ostrava Steel", "Lumen")
TITLES = ("Find out why messaging dropped", "Close the loop on a poor answer", "Prepare the renewal")
REASONS = ("Messaging used 3 times in 28 days, was 41", "NPS 4: “support takes days”", "Renewal in 32 days")
BANDS = ("poor", "watch", "good", None)
SCORES = (34, 61, 87, None)


class SampleForm(forms.Form):
    """One field of each kind; never valid, so that errors show."""

    name = forms.CharField(label="Name", help_text="As people say it on the phone.")
    owner = forms.ChoiceField(label="Owner", choices=[("1", "Ana"), ("2", "Boris")])
    direction = forms.ChoiceField(label="Direction", choices=[("in", "In"), ("out", "Out")], widget=forms.RadioSelect)
    note = forms.CharField(label="Note", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    told = forms.BooleanField(label="Tell the team", required=False)

    def clean(self) -> dict[str, Any]:
        raise forms.ValidationError("The renewal date is before the start date.")


def frame() -> dict[str, Any]:
    """The context of a staff page's frame, without a person signed in."""
    actions = [
        {
            "key": action.key,
            "label": action.label,
            "hotkey": action.hotkey,
            "icon": action.icon,
            "scope_label": action.scope_label,
            "url": f"/{action.key.removeprefix('go.')}/" if action.scope == GO else "",
            "scope": action.scope,
            "is_current": action.key == "go.queue",
        }
        for action in ACTIONS
    ]
    links = {"navigation": [action for action in actions if action["scope"] == GO]}
    sheets = {"every_action": actions, "search_url": "/search/", "hotkeys_on": True}
    return {
        "command_sheets": render_to_string("components/command_sheets.html", sheets),
        "navigation_links": render_to_string("components/navigation_links.html", links),
        "bottom_bar": render_to_string("components/bottom_bar.html", links),
        "search_url": "/search/",
        "workspace": "Meridian",
    }


def tasks() -> list[dict[str, Any]]:
    """Twelve rows of a queue."""
    now = timezone.now()
    return [
        {
            "pk": index,
            "title": TITLES[index % 3],
            "why": REASONS[index % 3],
            "account": ACCOUNTS[index % 6],
            "value": 12_500 * (index + 1),
            "band": BANDS[index % 4],
            "score": SCORES[index % 4],
            "trend": (-12, 3.5, 0, None)[index % 4],
            "due": timezone.localdate() + timedelta(days=index - 2),
            "renewal": now + timedelta(days=12 * index + 4),
        }
        for index in range(12)
    ]


def sample() -> dict[str, Any]:
    """The context of the sample pages."""
    form = SampleForm({"name": "Acme", "owner": "1"})
    form.is_valid()
    weeks = [f"W{number}" for number in range(1, 13)]
    return {
        **frame(),
        "rows": tasks(),
        "form": form,
        "hour_ago": timezone.now() - timedelta(hours=1),
        "counts": {"good": 142, "watch": 71, "poor": 38, "none": 9},
        "values": [9, 8, 9, None, 6, 6, 4, 3, 4, 2, 1, 1],
        "options": [(number, number) for number in range(11)],
        "tabs": [
            {"url": "#", "label": "Overview", "is_current": True},
            {"url": "#", "label": "Timeline", "count": 214},
        ],
        "crumbs": [{"label": "Accounts", "url": "/accounts/"}, {"label": "Northwind Logistics"}],
        "line": {
            "type": "line",
            "labels": weeks,
            "axis": "Week",
            "unit": "uses",
            "series": [
                {"label": "Messaging", "data": [40, 42, 38, 41, 30, 22, 14, 9, 6, 4, 3, 3]},
                {"label": "Tracking", "data": [20, 22, 18, 21, 24, 29, 30, 32, 31, 33, 34, 33]},
            ],
        },
        "bars": {
            "type": "bar",
            "labels": ["Sep", "Oct", "Nov"],
            "axis": "Month",
            "stacked": True,
            "series": [
                {"label": "Good", "data": [138, 140, 142], "tone": "good"},
                {"label": "Watch", "data": [70, 72, 71], "tone": "watch"},
                {"label": "Poor", "data": [42, 38, 38], "tone": "poor"},
            ],
        },
        "columns": [
            {"label": "Account", "sort_url": "?sort=name", "sorted": "ascending"},
            {"label": "MRR", "number": True},
        ],
        "cells": [["Northwind", "$4,000"], ["Acme", "$980"]],
    }
