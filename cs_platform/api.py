"""Every resource of the REST API under ``/api/v1/``."""

from django.urls import path
from rest_framework.routers import DefaultRouter

from accounts import api as accounts
from health import api as health
from notifications import api as notifications
from playbooks import api as playbooks
from revenue import api as revenue
from surveys import api as surveys

router = DefaultRouter()
router.register("accounts", accounts.AccountViewSet, "account")
router.register("contacts", accounts.ContactViewSet, "contact")
router.register("events", accounts.EventViewSet, "event")
router.register("leaves", accounts.LeaveViewSet, "leave")
router.register("ratings", accounts.RatingViewSet, "rating")
router.register("segments", accounts.SegmentViewSet, "segment")
router.register("tickets", accounts.TicketViewSet, "ticket")
router.register("touchpoints", accounts.TouchpointViewSet, "touchpoint")

router.register("invoices", revenue.InvoiceViewSet, "invoice")
router.register("notifications", notifications.NotificationViewSet, "notification")
router.register("opportunities", revenue.OpportunityViewSet, "opportunity")
router.register("health/overrides", health.OverrideViewSet, "health-override")
router.register("health/scores", health.NamedScoreViewSet, "health-score")
router.register("health/versions", health.VersionViewSet, "health-version")
router.register("measures", health.MeasureViewSet, "measure")
router.register("assignments", playbooks.AssignmentViewSet, "assignment")
router.register("holdouts", playbooks.HoldoutViewSet, "holdout")
router.register("playbooks", playbooks.PlaybookViewSet, "playbook")
router.register("profiles", health.ProfileViewSet, "profile")
router.register("responses", surveys.ResponseViewSet, "response")
router.register("runs", playbooks.RunViewSet, "run")
router.register("surveys", surveys.SurveyViewSet, "survey")
router.register("tasks", playbooks.TaskViewSet, "task")

urlpatterns = [
    path("accounts/<int:pk>/health/", health.AccountHealthView.as_view({"get": "retrieve"}), name="account-health"),
    path(
        "accounts/<int:pk>/health/changes/",
        health.AccountHealthChangesView.as_view({"get": "retrieve"}),
        name="account-health-changes",
    ),
    path(
        "accounts/<int:pk>/health/history/",
        health.AccountHealthHistoryView.as_view({"get": "retrieve"}),
        name="account-health-history",
    ),
    path(
        "accounts/<int:account>/health/overrides/",
        health.AccountOverrideViewSet.as_view({"get": "list", "post": "create"}),
        name="account-health-overrides",
    ),
    path(
        "accounts/<int:account>/health/overrides/<int:pk>/end/",
        health.AccountOverrideViewSet.as_view({"post": "end"}),
        name="account-health-override-end",
    ),
    path(
        "health/versions/<int:number>/simulate/",
        health.SimulationView.as_view({"post": "create"}),
        name="health-version-simulate",
    ),
    path(
        "health/versions/<int:number>/simulation/",
        health.SimulationView.as_view({"get": "retrieve"}),
        name="health-version-simulation",
    ),
    path(
        "playbooks/<int:pk>/draft/",
        playbooks.PlaybookDraftView.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
        name="playbook-draft",
    ),
    path("playbooks/<int:pk>/today/", playbooks.PlaybookTodayView.as_view({"get": "list"}), name="playbook-today"),
    path("playbooks/<int:pk>/why/", playbooks.PlaybookWhyView.as_view({"get": "retrieve"}), name="playbook-why"),
    *router.urls,
]
