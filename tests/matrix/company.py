"""A company with somebody of each role, and one record of each kind for each of its people."""

import time
from functools import cached_property

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.tokens import default_token_generator
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.test import Client
from django.utils import timezone
from django.utils.http import int_to_base36

from core.journal import Kind, Label, operation
from core.models import Batch, ExchangeRate, ListValue
from leads.conversion import ConversionChoices, convert_lead
from leads.models import Lead
from leads.services import hand_over
from opportunities.services import close_lost
from tests.digest import differences, digest
from tests.factories.accounts import AccountFactory, AccountShareFactory
from tests.factories.contacts import (
    ContactFactory,
    ContactShareFactory,
    PlannedJobChangeFactory,
    RelationFactory,
)
from tests.factories.leads import (
    LeadFactory,
    LeadShareFactory,
    QueueFactory,
    QueueMemberFactory,
    RuleFactory,
)
from tests.factories.opportunities import (
    OpportunityFactory,
    OpportunityTeamMemberFactory,
    RoleFactory,
)
from tests.factories.users import TeamFactory, UserFactory
from tests.factories.views import SavedViewFactory
from users.models import Role

NOTE = "Needs sensors, has a budget, wants an offer in June."


class Company:
    """
    Two teams. In North works one of each role and a representative more, in South a stranger.

    ``users`` are those of the roles, ``records`` what each owner has: {owner: {what: record}}.
    The manager manages nobody: his cells say "team" where "own" would reach as far.
    """

    def __init__(self):
        self.north, self.south = TeamFactory(name="North"), TeamFactory(name="South")
        self.users = {role: self._person(role, self.north) for role in Role.values}
        self.mate = self._person("REP", self.north)
        self.stranger = self._person("REP", self.south)
        self.inactive = UserFactory(name="Ina", role="ADMIN", is_active=False)
        owners = [*self.users.values(), self.mate, self.stranger]
        self.records = {owner: self._records_of(owner) for owner in owners}
        self.settings = self._settings()
        self.digest = digest(journal=True, stamps=True)

    def is_unchanged(self):
        return differences(self.digest, digest(journal=True, stamps=True)) == {}

    def _person(self, role, team):
        return UserFactory(name=f"{role.title()} {team}", role=role, team=team)

    def _records_of(self, owner):
        kept = {"owner": owner}
        group = AccountFactory(**kept)
        account = AccountFactory(parent=group, billing_city="Linz", **kept)
        contact = ContactFactory(account=account, **kept)
        deal = OpportunityFactory(account=account, **kept)
        lost = OpportunityFactory(account=account, **kept)
        close_lost(lost, by=self.users["ADMIN"], reason="Price")
        archived = LeadFactory(archived_at=timezone.now(), **kept)
        return {
            "account": account,
            **self._shares_of(account, contact, deal),
            "contact": contact,
            "relation": RelationFactory(account=group, contact=contact),
            "main relation": contact.relations.get(account=account),
            "plan": PlannedJobChangeFactory(contact=contact, new_account=group),
            "deal": deal,
            "whole deal": deal,
            "role": RoleFactory(opportunity=deal, contact=contact),
            "closed deal": lost,
            **self._leads_of(owner),
            "archived lead": archived,
            "operation": self._operation_of(owner),
            "view": SavedViewFactory(owner=owner),
            **self._batches_of(owner, account),
        }

    def _shares_of(self, account, contact, deal):
        """Shared with somebody who comes through no door."""
        kept = {"user": self.inactive}
        lead = LeadFactory(owner=account.owner)
        return {
            "account share": AccountShareFactory(record=account, **kept),
            "contact share": ContactShareFactory(record=contact, **kept),
            "lead share": LeadShareFactory(record=lead, **kept),
            "deal share": OpportunityTeamMemberFactory(record=deal, **kept),
        }

    def _leads_of(self, owner):
        admin, kept = self.users["ADMIN"], {"owner": owner}
        became = LeadFactory(**kept)
        convert_lead(became, by=admin, choices=ConversionChoices(owner=admin))
        return {
            "lead": LeadFactory(**kept),
            "dead lead": LeadFactory(dead=True, **kept),
            "accepted lead": LeadFactory(lifecycle="SQL", **kept),
            "converted lead": Lead.objects.get(pk=became.pk),
        }

    def _operation_of(self, owner):
        with operation(Kind.EDIT, by=owner, label=Label("Edited a lead")) as op:
            lead = Lead.objects.filter(owner=owner).order_by("pk")[0]
            lead.description = "Called."
            lead.save()
        return op.row

    def _batches_of(self, owner, account):
        kept = {"user": owner, "model": "accounts.account", "keys": [account.pk]}
        now = timezone.now()
        return {
            "batch": Batch.objects.create(verb="archive", **kept),
            "started batch": Batch.objects.create(verb="archive", started_at=now, **kept),
        }

    def _settings(self):
        """Rows of the settings, by the models of their pages."""
        queue = QueueFactory()
        rows = [
            RuleFactory(queue=queue),
            queue,
            QueueMemberFactory(queue=queue),
            ExchangeRate.objects.create(currency="CHF", valid_from="2026-01-01", rate=1),
            ListValue.objects.order_by("pk").first(),
            UserFactory(password=make_password(None)),  # invited, and not yet come
            self.south,
        ]
        return {type(row): row for row in rows}

    def offered_to(self, user):
        """A lead that was handed over to ``user`` and waits for the answer."""
        lead = LeadFactory(owner=self.stranger, lifecycle="SQL")
        return hand_over(lead, to=user, note=NOTE, by=self.users["ADMIN"])

    def sets(self, user):
        """The records as ``user`` sees them: his own, a team mate's, a stranger's."""
        return {
            "own": self.records[user],
            "team": self.records[self.mate],
            "other": self.records[self.stranger],
        }

    # -- addresses --------------------------------------------------------------------------------

    def address(self, route, row=None):
        """Where the route stands for ``row``; without one, for a row of the settings."""
        row = row or self._row_of(route)
        return route.at({name: self._text(name, row) for name in route.arguments})

    def _row_of(self, route):
        models_named = {"user": get_user_model(), "stage": None}
        model = route.model or models_named.get(route.name.partition(":")[2].partition("_")[0])
        if model in self.settings:
            return self.settings[model]
        if model is not None:
            return models.QuerySet(model).order_by("pk").first() or self._lead
        return self.settings[ListValue] if "list_key" in route.arguments else self._lead

    @cached_property
    def _lead(self):
        return self.records[self.stranger]["lead"]

    def _text(self, name, row):
        texts = {
            "pk": row.pk,
            "object_id": row.pk,
            "label": row._meta.label_lower,
            "app_label": row._meta.app_label,
        }
        if name in texts:
            return str(texts[name])
        if name == "content_type_id":
            return str(ContentType.objects.get_for_model(row).pk)
        if name == "uidb36":
            return int_to_base36(self.stranger.pk)
        if name in ("key", "token"):
            return default_token_generator.make_token(self.stranger)
        return str(getattr(row, f"{name}_id", None) or getattr(row, name))


def client_of(user):
    """A browser in which ``user`` signed in a moment ago; nobody without one."""
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
        session = client.session
        session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
        session["account_authentication_methods_user"] = str(user.pk)
        session.save()
    return client
