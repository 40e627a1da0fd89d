"""The tracking API's addresses: each kind of call, the batch, and the short names that browser SDKs use."""

from django.urls import path

from usage import views
from usage.services.parse import KINDS

SHORT = {"t": "track", "i": "identify", "g": "group", "p": "page", "s": "screen", "a": "alias"}

urlpatterns = [
    path("batch", views.track, {"kind": None}, name="tracking-batch"),
    path("b", views.track, {"kind": None}),
    *(path(kind, views.track, {"kind": kind}, name=f"tracking-{kind}") for kind in KINDS),
    *(path(short, views.track, {"kind": kind}) for short, kind in SHORT.items()),
]
