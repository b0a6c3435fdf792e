"""The pages that are measured, and how each is asked."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from django.core import signing
from django.urls import reverse

from accounts.models import Account
from contacts.models import Contact
from core.tables import SALT
from crm.bench.filling import COMMON, NOTHING, RARE, is_known, person
from crm.bench.sending import values_of
from leads.models import Lead, Phase
from opportunities.models import Opportunity

LIST, RECORD, CREATE, CONVERT = 2.5, 3, 3, 6  # times the plain list
ANSWERS = (200, 303)


class PageFailed(Exception):
    """A page did not answer as it should, so there is nothing to measure."""


@dataclass(frozen=True)
class Page:
    """A page: ``prepare()`` gives the call that is timed; what that needs is not timed."""

    name: str
    bound: float
    prepare: Callable


class Pages:
    """All pages over the records of a Filling, asked by ``client`` as its rep."""

    def __init__(self, filling, client):
        self.filling = filling
        self.client = client
        self.numbers = count(1)

    def all(self):
        leads = reverse("leads:lead_list")
        middle = next(self.leads_from(self.filling.size // 2, known=True))
        after = token("-created_at", middle.created_at.isoformat(), middle.pk)
        yield self.get("leads, first page", LIST, leads)
        yield self.get("leads, deep page", LIST, leads, {"after": after})
        yield self.get("leads, filtered", LIST, leads, {"source": "Web", "score": "20"})
        yield self.get("leads, sorted by company", LIST, leads, {"sort": "company"})
        yield self.get("leads, view of all", LIST, leads, {"view": "all"})
        yield self.get("leads, search: rare", LIST, leads, {"q": RARE})
        yield self.get("leads, search: common", LIST, leads, {"q": COMMON})
        yield self.get("leads, search: nothing", LIST, leads, {"q": NOTHING})
        for model in (Account, Contact, Opportunity):
            plural = str(model._meta.verbose_name_plural)
            yield self.get(f"{plural}, first page", LIST, page_of(model, "list"))
            yield self.get(
                f"{plural}, search: rare", LIST, page_of(model, "list"), {"q": "zoltan 42"}
            )
        yield self.get("search everything", LIST, reverse("core:search"), {"q": RARE})
        picker = reverse("core:picker", args=["accounts.account"])
        yield self.get(
            "picker of accounts", LIST, picker, {"name": "parent", "parent_q": "kessler va"}
        )
        yield self.get("start page", LIST, reverse("home"))
        yield self.get("lead", RECORD, middle.get_absolute_url())
        yield from self.records()
        yield self.get("lead, form", CREATE, reverse("leads:lead_create"))
        yield Page("lead, create", CREATE, self.create_lead)
        yield self.get("convert, page with matches", CONVERT, convert_url(middle))
        yield Page("convert, into new records", CONVERT, self.convert_lead)

    def records(self):
        filling = self.filling
        for model in (Account, Contact, Opportunity):
            half = filling.key(model, filling.accounts // 2)
            records = model.objects.filter(owner=filling.rep, pk__gte=half)
            record = records.order_by("pk")[0]
            yield self.get(str(model._meta.verbose_name), RECORD, record.get_absolute_url())
        largest = Account.objects.get(pk=filling.key(Account, 0))
        yield self.get("account, the largest", RECORD, largest.get_absolute_url())

    def leads_from(self, number, *, known):
        """Open leads of the rep from the n-th one on, whose companies are accounts or are not."""
        filling = self.filling
        leads = Lead.objects.filter(owner=filling.rep, phase=Phase.OPEN)
        leads = leads.filter(pk__gte=filling.key(Lead, number)).order_by("pk")
        return (lead for lead in leads if is_known(filling.number(lead)) == known)

    # -- asking -------------------------------------------------------------------------------

    def get(self, name, bound, url, query=None):
        """The page ``url``."""

        def call():
            return answer(name, self.client.get(url, query))

        return Page(name, bound, lambda: call)

    def post(self, name, url, changes=None):
        """The call that sends the form of the page ``url`` with ``changes``."""
        page = self.client.get(url)
        values = {**values_of(page.content.decode()), **(changes or {})}
        return lambda: answer(name, self.client.post(url, values))

    def create_lead(self):
        number = next(self.numbers)
        first, last = person(number)
        values = {
            "first_name": first,
            "last_name": f"{last} {number}",
            "company": f"Newcomer {number} Ltd",
            "email": f"new{number}@newcomer{number}.example",
            "phone": "+44 20 7946 0123",
            "country": "GB",
            "lead_source": "Web",
        }
        return self.post("lead, create", reverse("leads:lead_create"), values)

    def convert_lead(self):
        return self.post("convert", convert_url(next(self.unknown_leads)))

    @functools.cached_property
    def unknown_leads(self):
        return self.leads_from(self.filling.size // 4, known=False)


def page_of(model, view):
    return reverse(f"{model._meta.app_label}:{model._meta.model_name}_{view}")


def convert_url(lead):
    return reverse("leads:lead_convert", args=[lead.pk])


def token(sort, value, pk):
    """The token of the page of a list after the row with this sort value and key."""
    return signing.dumps([sort, 0, value, pk], salt=SALT)


def answer(name, response):
    if response.status_code not in ANSWERS:
        raise PageFailed(f"{name}: status {response.status_code}.")
    return response
