from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlaybooksConfig(AppConfig):
    name = "playbooks"
    verbose_name = _("Playbooks")

    def ready(self) -> None:
        from accounts.services.ledger import listen
        from playbooks.services.entering import CONSUMER

        listen(CONSUMER)
