from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from accounts.services.ledger import listen
        from notifications.kinds import KINDS
        from notifications.services.notify import CONSUMER

        autodiscover_modules("notices")
        listen(CONSUMER, kinds={kind.event for kind in KINDS.values()} - {""})
