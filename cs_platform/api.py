"""Every resource of the REST API under ``/api/v1/``."""

from rest_framework.routers import DefaultRouter

from accounts import api as accounts

router = DefaultRouter()
router.register("accounts", accounts.AccountViewSet, "account")
router.register("contacts", accounts.ContactViewSet, "contact")
router.register("events", accounts.EventViewSet, "event")
router.register("segments", accounts.SegmentViewSet, "segment")
router.register("tickets", accounts.TicketViewSet, "ticket")
router.register("touchpoints", accounts.TouchpointViewSet, "touchpoint")
