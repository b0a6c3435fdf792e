"""
A small company and a client that watches what each request does to it.

``World`` is made once for a module and never changes: what a request writes is rolled back
after the answer was looked at. ``Laboratory`` sends requests and keeps a list of complaints.
"""

import re
from contextlib import contextmanager
from urllib.parse import urlencode, urlsplit

from django import forms
from django.contrib.auth.tokens import default_token_generator
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from django.http import QueryDict
from django.utils.http import int_to_base36

from accounts.models import Account
from core.batches import choose, start, verb_named
from core.journal import Kind, Label, Operation, operation
from core.models import ExchangeRate, OwnedRecord
from core.services import archive
from core.views.settings import AdministratorMixin
from leads.conversion import ConversionChoices, convert_lead
from leads.models import Lead
from leads.services import hand_over
from opportunities.models import Opportunity
from opportunities.services import close_lost, close_won
from tests.digest import differences, digest
from tests.factories.accounts import AccountFactory, AccountShareFactory
from tests.factories.contacts import (
    ContactFactory,
    ContactShareFactory,
    PlannedJobChangeFactory,
    RelationFactory,
)
from tests.factories.leads import LeadFactory, LeadShareFactory, QueueFactory, RuleFactory
from tests.factories.opportunities import (
    OpportunityFactory,
    OpportunityTeamMemberFactory,
    RoleFactory,
)
from tests.factories.users import TeamFactory, UserFactory
from tests.factories.views import SavedViewFactory
from tests.pages import sent
from users.invitations import invitation_token
from users.models import Role, User

FORM = "application/x-www-form-urlencoded"
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
# Tables that a visit writes to: they hold who is here, not what the business knows.
VISITS = ("users_session", "users_attempt", "last_login")
WRITES = re.compile(r"\s*(?:WITH\b.*\b)?(?:INSERT|UPDATE|DELETE|REPLACE)\b", re.I | re.S)
CANARY = '"\' canary="1" ><script>canary</script>'
IN_TAG = r"""<[a-z](?:"[^"]*"|'[^']*'|[^"'<>])*?"""  # up to an attribute, over quoted values
REFLECTED = re.compile(rf"<script>canary|{IN_TAG}\scanary=", re.I)
SECRET = "Nightingale"  # in the name of every record that the user may not see
# A picture cannot run code, wherever it comes from; the code for a second step is one.
UNSAFE_LINK = re.compile(
    r"""(?!src=["']?data:image/)(?:href|src|action)=["']?\s*(?:javascript|data|vbscript):""", re.I
)
INLINE = re.compile(rf"{IN_TAG}\s(?:style|on[a-z]+)=|<style\b|<script>", re.I)
HEADERS = (
    "Content-Security-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
)


@contextmanager
def rolled_back():
    """
    A transaction that never commits and inside which our own may begin, as in a test.

    An inner one is kept for the outer one if something is put into the list that it gives.
    """
    block = transaction.atomic()
    block._from_testcase = True  # noqa: SLF001 - what Django's own TestCase does
    with block:
        kept = []
        yield kept
        transaction.set_rollback(not kept)


class World:
    """The records of a representative, what he may not see, and what is in the recycle bin."""

    def __init__(self):
        self.team = TeamFactory(name="North")
        self.rep = UserFactory(name="Rae Rep", email="rae@world.example", team=self.team)
        self.admin = UserFactory(name="Ada Admin", email="ada@world.example", role=Role.ADMIN)
        self.stranger = UserFactory(email="sam@world.example", team=TeamFactory(name="South"))
        self.colleague = UserFactory(name="Kim Colleague", email="kim@world.example")
        self._make_people()
        self._make_deals()
        self._make_leads()
        ExchangeRate.objects.create(currency="CHF", valid_from="2026-01-01", rate=1)
        SavedViewFactory(owner=self.rep, is_pinned=True)
        self._hand_over()
        self._share()
        self._choose()
        self._hide()
        self._archive()
        with operation(Kind.EDIT, by=self.rep, label=Label("Edited an account")):
            account = Account.objects.get(pk=self.account.pk)
            account.site = "Harbour"
            account.save()
        self.digest = digest(journal=True, stamps=True)

    def is_unchanged(self):
        return differences(self.digest, digest(journal=True, stamps=True)) == {}

    def _make_people(self):
        rep = self.rep
        self.account = AccountFactory(name="Acme", owner=rep, parent=AccountFactory(owner=rep))
        contact = ContactFactory(account=self.account, owner=rep, email="ana@acme.example")
        RelationFactory(account=AccountFactory(owner=rep), contact=contact)
        PlannedJobChangeFactory(contact=contact, new_account=self.account.parent)
        self.contact = contact

    def _make_deals(self):
        kept = {"account": self.account, "owner": self.rep}
        deal = OpportunityFactory(name="Open deal", **kept)
        RoleFactory(opportunity=deal, contact=self.contact, role="Decision maker")
        close_won(OpportunityFactory(name="Won deal", **kept), by=self.rep)
        close_lost(OpportunityFactory(name="Lost deal", **kept), by=self.rep, reason="Price")

    def _make_leads(self):
        for trait in ("working", "qualified", "nurturing", "dead"):
            LeadFactory(owner=self.rep, **{trait: True})
        LeadFactory(owner=self.rep, company="Acme", website="https://acme.example", budget=500)
        lead = LeadFactory(owner=self.rep, company="Beta")
        convert_lead(lead, by=self.rep, choices=ConversionChoices())
        RuleFactory(name="Inbound", queue=QueueFactory(name="Web", members=[self.rep]))
        LeadFactory(owner=self.rep, company="Gamma", lifecycle="SQL")

    def _hand_over(self):
        """A lead of sales development that waits for the representative's answer."""
        sdr = UserFactory(email="sid@world.example", role=Role.SDR, team=self.team)
        lead = LeadFactory(owner=sdr, lifecycle="SQL")
        note = "Needs sensors, has a budget, wants an offer in June."
        self.handed_over = hand_over(lead, to=self.rep, note=note, by=sdr)

    def _share(self):
        """Each kind of record is shared with somebody of another team."""
        lead = Lead.objects.filter(owner=self.rep, converted_at=None).order_by("pk").first()
        AccountShareFactory(record=self.account, user=self.colleague)
        ContactShareFactory(record=self.contact, user=self.colleague)
        LeadShareFactory(record=lead, user=self.colleague)
        deal = Opportunity.objects.get(name="Open deal")
        OpportunityTeamMemberFactory(record=deal, user=self.colleague)

    def _choose(self):
        """One batch that was done, and one that waits for the choices of its verb."""
        leads = list(Lead.objects.filter(owner=self.rep, archived_at=None)[:3])
        keys, verb = [lead.pk for lead in leads], verb_named("assign", Lead, self.rep)
        form = verb.get_form(leads, QueryDict(f"owner={self.rep.pk}"))
        if form.is_valid():
            start(choose(verb, keys), verb, form)
        choose(verb, keys)

    def _hide(self):
        """What the representative may not see: leads and deals of another team."""
        self.hidden = {
            Lead: LeadFactory(last_name=SECRET, company=SECRET, owner=self.stranger),
            Opportunity: OpportunityFactory(name=SECRET, account=self.account, owner=self.stranger),
        }

    def _archive(self):
        self.archived = [
            AccountFactory(name="Old", owner=self.rep),
            ContactFactory(owner=self.rep),
            LeadFactory(owner=self.rep),
        ]
        for record in self.archived:
            archive(record, by=self.rep)

    def out_of_reach(self, model):
        """The records of ``model`` that no form offers: hidden ones and archived ones."""
        if model is None:
            return []
        hidden = [self.hidden[model]] if model in self.hidden else []
        return hidden + [record for record in self.archived if isinstance(record, model)]

    def user_for(self, route):
        """Who opens the route: nobody yet the log-in, an administrator the settings."""
        if not getattr(route.pattern.callback, "login_required", True):
            return None
        is_setting = route.view is not None and issubclass(route.view, AdministratorMixin)
        return self.admin if route.is_admin or is_setting else self.rep

    def arguments_of(self, route):
        """What may stand in the route's path, newest records first: dictionaries of texts."""
        names = route.arguments
        if not names:
            return [{}]
        return [{name: self._text(name, row) for name in names} for row in self._rows(route)]

    def _rows(self, route):
        if "operation" in route.name or route.name == "core:undo":
            return Operation.objects.filter(actor=self.rep).order_by("-pk")
        if route.name == "core:restore":
            return self.archived
        if route.name in ("leads:lead_accept", "leads:lead_return"):
            return [self.handed_over]
        if route.model is None or route.name == "core:savedview_create":
            return [self.account, self.contact]
        rows = models.QuerySet(route.model)
        if issubclass(route.model, OwnedRecord) and not route.is_admin:
            rows = rows.filter(owner=self.rep, archived_at=None)
        return list(rows.order_by("-pk")[:12]) or [self.account]

    def _text(self, name, row):
        texts = {
            "pk": row.pk,
            "object_id": row.pk,
            "label": row._meta.label_lower,
            "app_label": row._meta.app_label,
            "uidb36": int_to_base36(self.rep.pk),
            "token": invitation_token(User.objects.get(pk=self.rep.pk)),
            "key": default_token_generator.make_token(User.objects.get(pk=self.rep.pk)),
        }
        if name == "content_type_id":
            return str(ContentType.objects.get_for_model(row).pk)
        if name in texts:
            return str(texts[name])
        return str(getattr(row, f"{name}_id", None) or getattr(row, name))


class Laboratory:
    """Sends requests to one route as somebody and complains about the answers."""

    def __init__(self, world, client, user):
        self.world, self.client, self.user = world, client, user
        if user is not None:
            client.force_login(user)
        client.raise_request_exception = False
        self.keeps_refused = False  # what a refused request wrote stays, for who compares all
        self.complaints = []
        self.asked = 0
        self.written = []

    # -- the page -------------------------------------------------------------------------------

    def page_of(self, route):
        """The first page of the route that answers 200, and where; any other one else."""
        found = None
        for texts in self.world.arguments_of(route):
            address = route.at(texts)
            response = self.client.get(address)
            if response.status_code == 302:
                response = self.client.get(address, follow=True)
                address = response.request["PATH_INFO"]
                found = found or (address, response)
            elif response.status_code == 200:
                return address, response
            else:
                found = found or (address, response)
        return found

    def form_of(self, route):
        """Where the route's form goes, the form that is filled in, and its page."""
        address, page = self.page_of(route)
        above = address.rstrip("/").rpartition("/")[0] + "/"
        source = page if page.status_code == 200 else self.client.get(above)
        data = sent(source) if source.status_code == 200 and is_html(source) else {}
        return address, data, source

    def filled_in(self, route):
        """Where the route's form goes and data that it takes, as far as they can be guessed."""
        address, data, _page = self.form_of(route)
        for attempt in range(4):
            response = self.post(address, data)
            form = form_in(response)
            if response.status_code != 422 or form is None:
                break
            wrong = {name: form.fields[name] for name in form.errors if name in form.fields}
            data |= {name: something_for(field, attempt) for name, field in wrong.items()}
        return address, data

    # -- asking ---------------------------------------------------------------------------------

    def get(self, address, **headers):
        return self.ask("GET", address, headers=headers)

    def post(self, address, data, *, then=None, **headers):
        """Send a form, halves of surrogate pairs included, and look at the page after it."""
        body = urlencode(data, doseq=True, errors="surrogatepass")
        return self.ask("POST", address, body=body, headers=headers, then=then)

    def ask(self, method, address, *, body="", content_type=FORM, headers=None, then=None, **extra):
        """Send one request; what it wrote can be seen by ``then`` and is gone afterwards."""
        self.asked += 1
        self.written = []
        with rolled_back() as kept, connection.execute_wrapper(self._watch):
            response = self.client.generic(
                method, address, body, content_type, headers=headers, **extra
            )
            self._look_at(response, f"{method} {address[:200]} {str(body)[:300]}", method)
            if response.status_code in (302, 303) and method == "POST":
                self._follow(response)
            if then:
                then()
            if self.keeps_refused and response.status_code >= 400:
                kept.append(response)
        return response

    def _watch(self, execute, sql, params, many, context):
        if WRITES.match(sql) and not any(name in sql for name in VISITS):
            self.written.append(sql)
        return execute(sql, params, many, context)

    def _follow(self, response):
        if leads_away(response.url):
            return
        after = self.client.get(response.url)
        self._look_at(after, f"GET {response.url} after it", "GET", is_follow_up=True)

    def _look_at(self, response, what, method, *, is_follow_up=False):
        for found in self._faults(response, method, is_follow_up=is_follow_up):
            self.complaints.append(f"{found}: {what}")

    def _faults(self, response, method, *, is_follow_up):
        status = response.status_code
        if status >= 500:
            yield f"{status} {raised(response)}"
        if not is_follow_up and self.written and (method in SAFE or status >= 400):
            changed = differences(self.world.digest, digest(journal=True, stamps=True))
            if method in SAFE or changed:
                yield f"{status} and yet wrote {self.written} {changed}"
        if status == 405 and not response.headers.get("Allow"):
            yield "405 without Allow"
        location = response.headers.get("Location") or response.headers.get("HX-Redirect")
        if location and leads_away(location):
            yield f"leads away to {location}"
        for name in HEADERS:
            if name not in response.headers:
                yield f"{status} without {name}"
        if is_html(response) and not response.streaming:
            html = response.content.decode()
            yield from faults_of(html)
            if SECRET in html and self.user == self.world.rep:
                yield "tells of a hidden record"

    def judge(self):
        """Fail with everything that was found."""
        assert not self.complaints, "\n".join(dict.fromkeys(self.complaints))


def form_in(response):
    """The form of a page, Django admin's as well; None if there is none."""
    context = response.context or {}
    adminform = context.get("adminform")
    return adminform.form if adminform else context.get("form")


def refused_by(response):
    """The names of the fields with a message."""
    form = form_in(response)
    return set(form.errors) if form is not None else set()


def family(name):
    """All names that one field sends: a picker sends its text as well."""
    return {name, f"{name}_q", f"{name}_shown", f"{name}_0", f"{name}_1"}


def something_for(field, attempt):
    """A value that a required field might take."""
    if isinstance(field, forms.ModelChoiceField):
        keys = list(field.queryset.order_by("-pk").values_list("pk", flat=True)[:4])
        return keys[attempt % len(keys)] if keys else ""
    if isinstance(field, forms.ChoiceField):
        choices = [value for value, _label in field.choices if value]
        return choices[attempt % len(choices)] if choices else ""
    if isinstance(field, forms.DateField):
        return "2030-06-30"
    return "correct horse battery"


def leads_away(address):
    """Whether a redirect goes anywhere but to a path of ours."""
    if not address.startswith(("/", "?", ".")) or address.startswith(("//", "/\\")):
        parts = urlsplit(address)
        is_ours = parts.scheme == "http" and parts.netloc == "testserver"
        return not is_ours and bool(parts.scheme or parts.netloc or address.startswith("//"))
    return False


def faults_of(html):
    """What no page may hold, whatever was typed."""
    if REFLECTED.search(html):
        yield "typed text came back as markup"
    if link := UNSAFE_LINK.search(html):
        yield f"a link that runs: {link[0]}"
    if inline := INLINE.search(html):
        yield f"inline style or script: {inline[0][:200]}"


def is_html(response):
    return response.headers.get("Content-Type", "").startswith("text/html")


def raised(response):
    """Where the exception behind an answer 500 came from, in one line."""
    error = getattr(response, "exc_info", None)
    if not error:
        return ""
    trace = error[2]
    while trace.tb_next:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return f"{error[0].__name__}: {error[1]} ({code.co_filename}:{trace.tb_lineno})"[:400]
