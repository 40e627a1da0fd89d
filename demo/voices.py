"""Writes the survey invitations and reminders of the past, which no mail ever carried, and the answers to them."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import Account, Contact, Event
from accounts.services.ledger import record_many
from demo.agenda import Agenda
from demo.company import Asked, Company, Customer
from demo.setup import SetUp
from surveys.models import Invitation, Reminder, Response
from surveys.scales import scale_of
from surveys.tokens import digest_of, token_for


class SurveyWriter:
    """Keeps invitations without a message to send, so that loading the demo writes to nobody, and their answers."""

    def __init__(
        self, company: Company, setup: SetUp, accounts: dict[str, Account], contacts: dict[str, Contact]
    ) -> None:
        self._setup = setup
        self._accounts = accounts
        self._contacts = contacts
        every = [(customer, asked) for customer in company.customers for asked in customer.asked]
        self._invited: Agenda[tuple[Customer, Asked]] = Agenda(
            (asked.invited_at, (customer, asked)) for customer, asked in every
        )
        self._answered: Agenda[Asked] = Agenda(
            (asked.answered_at, asked) for _customer, asked in every if asked.answered_at is not None
        )

    def write(self, *, now: datetime) -> None:
        """Write the invitations and the answers up to ``now``."""
        invited = self._invited.take(now)
        invitations = Invitation.objects.bulk_create(
            Invitation(
                survey=self._setup.surveys[asked.survey],
                account=self._accounts[customer.key],
                contact=self._contacts[asked.person],
                occasion=asked.occasion,
                digest=digest_of(self._token(asked)),
                language=self._contacts[asked.person].language,
                invited_at=at,
                expires_at=at + timedelta(days=self._setup.surveys[asked.survey].expires_after_days),
            )
            for at, (customer, asked) in invited
        )
        record_many(
            [
                Event(
                    account=invitation.account,
                    kind="survey.invited",
                    happened_at=invitation.invited_at,
                    contact=invitation.contact,
                    data={
                        "survey": invitation.survey.key,
                        "kind": invitation.survey.kind,
                        "invitation": invitation.pk,
                        "occasion": invitation.occasion,
                    },
                )
                for invitation in invitations
            ]
        )
        self._write_answers(now)
        self._write_reminders(now)

    def _write_answers(self, now: datetime) -> None:
        answered = self._answered.take(now)
        digests = [digest_of(self._token(asked)) for _at, asked in answered]
        invitations = Invitation.objects.select_related("survey").in_bulk(digests, field_name="digest")
        responses = Response.objects.bulk_create(
            Response(
                invitation=invitations[digest],
                survey=invitations[digest].survey,
                account_id=invitations[digest].account_id,
                contact_id=invitations[digest].contact_id,
                score=asked.score,
                comment=asked.comment,
                answered_at=at,
            )
            for digest, (at, asked) in zip(digests, answered, strict=True)
        )
        record_many(
            [
                Event(
                    account_id=response.account_id,
                    kind="survey.answered",
                    happened_at=response.answered_at,
                    contact_id=response.contact_id,
                    data={
                        "survey": response.survey.key,
                        "kind": response.survey.kind,
                        "score": response.score,
                        "category": scale_of(response.survey).category(response.score).value,
                        "response": response.pk,
                    },
                )
                for response in responses
            ]
        )

    def _write_reminders(self, now: datetime) -> None:
        due = list(Invitation.objects.to_remind(now).select_related("account", "contact", "survey"))
        Reminder.objects.bulk_create(Reminder(invitation=invitation, reminded_at=now) for invitation in due)
        record_many(
            [
                Event(
                    account=invitation.account,
                    kind="survey.reminded",
                    happened_at=now,
                    contact=invitation.contact,
                    data={
                        "survey": invitation.survey.key,
                        "kind": invitation.survey.kind,
                        "invitation": invitation.pk,
                    },
                )
                for invitation in due
            ]
        )

    def _token(self, asked: Asked) -> str:
        return token_for(
            survey_id=self._setup.surveys[asked.survey].pk,
            contact_id=self._contacts[asked.person].pk,
            occasion=asked.occasion,
        )
