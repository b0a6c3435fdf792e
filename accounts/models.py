"""Accounts: the organisations, and private persons who buy, in their hierarchy."""

import functools
from string import digits

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Concat, Length, Replace, Substr
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from core import normalise
from core.addresses import address_of
from core.errors import Conflict
from core.fields import (
    CountryField,
    CurrencyField,
    E164Field,
    ListField,
    LongTextField,
    MoneyField,
    PhoneField,
    UrlField,
    derive_e164,
    long_text_constraints,
)
from core.indexes import SearchIndex
from core.journal import joined
from core.models import Organisation, OwnedRecord, RecordQuerySet, Share
from core.normalise import FREE_MAIL_DOMAINS, domain_of, name_key
from core.reach import ADDRESS_PARTS, where
from core.records import lock, lock_tree

MAX_DEPTH = 19  # the top has depth 0, so a hierarchy has 20 levels
MAX_EMPLOYEES = 99_999_999


# What is left of a D-U-N-S number without its digits; REGEXP is no function of SQLite itself.
DUNS_REST = functools.reduce(lambda rest, digit: Replace(rest, Value(digit)), digits, F("duns"))


def default_currency():
    """The organisation's own currency."""
    return Organisation.current().default_currency


def free_mail_domains(organisation):
    """The hosts that say nothing about a company, as ``organisation`` lists them."""
    return tuple(organisation.free_mail_domains or FREE_MAIL_DOMAINS)


class WouldMakeCycle(Conflict):
    """The account would come to lie below itself."""


class Rating(models.TextChoices):
    HOT = "HOT", _("Hot")
    WARM = "WARM", _("Warm")
    COLD = "COLD", _("Cold")


class AccountQuerySet(RecordQuerySet):
    def below(self, account):
        """Everything below ``account`` in the hierarchy, without itself."""
        return self.filter(path_begins("path", account.branch, self.db))

    def within(self, account):
        """``account`` itself and everything below it."""
        return self.filter(inside(account.branch, self.db))

    def above(self, account):
        """The accounts between the top of the hierarchy and ``account``, in no order."""
        return self.filter(pk__in=account.ancestor_ids)

    def with_stubs(self, user):
        """
        Accounts whether ``user`` may see them or not: ``is_restricted`` says which are stubs.

        Of a stub a page tells whose it is and where it lies, neither its name nor figures.
        """
        return self.with_stubs_unless(where(self.model, user))

    def with_stubs_unless(self, visible):
        """The same for who may see the accounts that the condition ``visible`` allows."""
        if not visible:  # all of them: there is nothing to ask
            return self.annotate(is_restricted=Value(value=False))
        seen = self.model.objects.filter(visible, pk=OuterRef("pk")).order_by()
        return self.annotate(is_restricted=~Exists(seen))

    def update(self, **values):
        """
        Write the same values to all rows of the queryset.

        Another parent is written together with the place that follows from it: the database
        holds that the two agree.
        """
        if "parent" not in values and "parent_id" not in values:
            return super().update(**values)
        fields = {"parent" if name == "parent_id" else name for name in values}
        with joined(self.db):
            rows = list(lock(self).order_by("pk"))
            for row in rows:
                for name, value in values.items():
                    setattr(row, name, value)
            self.model.objects.bulk_update(rows, sorted(fields))
        return len(rows)

    update.alters_data = True


def inside(branch, using=DEFAULT_DB_ALIAS):
    """The condition of an account and all below it, by its ``branch``, such as ``/1/7/``."""
    key = int(branch.split("/")[-2])
    return Q(pk=key) | path_begins("path", branch, using)


def path_begins(lookup, prefix, using):
    """
    The condition that the path at ``lookup`` starts with ``prefix``, such as ``/1/7/``.

    SQLite uses no index for LIKE, so it is asked for a range: "0" follows "/".
    """
    if connections[using].vendor == "postgresql":
        return Q(**{f"{lookup}__like": f"{prefix}%"})
    return Q(**{f"{lookup}__gte": prefix, f"{lookup}__lt": f"{prefix[:-1]}0"})


class Account(OwnedRecord):
    """A company or other organisation, or a private person who buys."""

    class Kind(models.TextChoices):
        BUSINESS = "BUSINESS", _("Organisation")
        INDIVIDUAL = "INDIVIDUAL", _("Private person")

    class Status(models.TextChoices):
        TARGET = "TARGET", _("Target")
        ACTIVE = "ACTIVE", _("Active")
        INACTIVE = "INACTIVE", _("Inactive")

    class Ownership(models.TextChoices):
        PUBLIC = "PUBLIC", _("Public")
        PRIVATE = "PRIVATE", _("Private")
        SUBSIDIARY = "SUBSIDIARY", _("Subsidiary")
        OTHER = "OTHER", _("Other")

    name = models.CharField(_("name"), max_length=255)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.BUSINESS)
    name_key = models.CharField(max_length=255, blank=True, editable=False)
    domain = models.CharField(_("domain"), max_length=255, blank=True, editable=False)

    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("parent account"),
    )
    root = models.ForeignKey(
        "self", models.PROTECT, null=True, editable=False, related_name="whole_tree"
    )
    depth = models.PositiveSmallIntegerField(default=0, editable=False)
    path = models.CharField(max_length=400, default="/", db_index=True, editable=False)

    account_number = models.CharField(_("account number"), max_length=40, blank=True)
    site = models.CharField(_("site"), max_length=80, blank=True)
    type = ListField(_("type"), list_key="account_type", blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.ACTIVE)
    industry = ListField(_("industry"), list_key="industry", blank=True)
    rating = models.CharField(_("rating"), max_length=4, choices=Rating, blank=True)
    ownership = models.CharField(_("ownership"), max_length=10, choices=Ownership, blank=True)
    annual_revenue = MoneyField(
        _("annual revenue"), max_digits=15, decimal_places=0, null=True, blank=True
    )
    currency = CurrencyField(_("currency"), default=default_currency)
    employees = models.PositiveIntegerField(_("employees"), null=True, blank=True)
    sic = models.CharField(_("SIC code"), max_length=20, blank=True)
    sic_description = models.CharField(_("SIC description"), max_length=80, blank=True)
    ticker_symbol = models.CharField(_("ticker symbol"), max_length=20, blank=True)
    duns = models.CharField(_("D-U-N-S number"), max_length=9, blank=True)
    tax_id = models.CharField(_("tax number"), max_length=40, blank=True)

    phone = PhoneField(_("phone"), blank=True)
    phone_e164 = E164Field(source="phone")
    fax = PhoneField(_("fax"), blank=True)
    fax_e164 = E164Field(source="fax")
    website = UrlField(_("website"), blank=True)
    linkedin_url = UrlField(_("LinkedIn page"), blank=True)

    billing_street = LongTextField(_("billing street"), limit=255, blank=True)
    billing_city = models.CharField(_("billing city"), max_length=80, blank=True)
    billing_state = models.CharField(_("billing state or region"), max_length=80, blank=True)
    billing_postal_code = models.CharField(_("billing postal code"), max_length=20, blank=True)
    billing_country = CountryField(_("billing country"), blank=True)
    shipping_street = LongTextField(_("shipping street"), limit=255, blank=True)
    shipping_city = models.CharField(_("shipping city"), max_length=80, blank=True)
    shipping_state = models.CharField(_("shipping state or region"), max_length=80, blank=True)
    shipping_postal_code = models.CharField(_("shipping postal code"), max_length=20, blank=True)
    shipping_country = CountryField(_("shipping country"), blank=True)

    source = ListField(_("source"), list_key="lead_source", blank=True)
    description = LongTextField(_("description"), limit=32000, blank=True)

    access = "account"
    named_by = ("name",)
    about = _("Accounts are the organisations that you sell to.")
    together = (
        ("annual_revenue", "currency"),
        *(tuple(f"{use}_{part}" for part in ADDRESS_PARTS) for use in ("billing", "shipping")),
    )
    search_fields = ("name", "site", "account_number", "website", "phone")
    search_keys = {"name_key": normalise.name_key}
    derived = {
        **OwnedRecord.derived,
        "search_text": search_fields,
        "name_key": ("name",),
        "domain": ("website",),
        "phone_e164": ("phone", "billing_country"),
        "fax_e164": ("fax", "billing_country"),
        "root": ("parent",),
        "depth": ("parent",),
        "path": ("parent",),
    }

    objects = AccountQuerySet.as_manager()

    class Meta(OwnedRecord.Meta):
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            *OwnedRecord.Meta.constraints,
            models.CheckConstraint(
                name="account_name_not_blank",
                condition=~Q(name=""),
                violation_error_code="name",
                violation_error_message=_("Enter a name."),
            ),
            models.CheckConstraint(
                name="account_not_own_parent",
                condition=Q(parent=None) | ~Q(parent=F("id")),
                violation_error_code="parent",
                violation_error_message=_("An account cannot be its own parent."),
            ),
            models.CheckConstraint(
                name="account_depth_range",
                condition=Q(depth__gte=0, depth__lte=MAX_DEPTH),
                violation_error_code="parent",
                violation_error_message=_("A hierarchy has 20 levels at most."),
            ),
            models.CheckConstraint(
                name="account_top_consistent",
                condition=Q(parent=None, depth=0, root=None)
                | Q(parent__isnull=False, depth__gt=0, root__isnull=False),
                violation_error_code="parent",
                violation_error_message=_("The place in the hierarchy is not consistent."),
            ),
            models.CheckConstraint(
                name="account_annual_revenue_gte_0",
                condition=Q(annual_revenue=None) | Q(annual_revenue__gte=0),
                violation_error_code="annual_revenue",
                violation_error_message=_("The annual revenue cannot be negative."),
            ),
            models.CheckConstraint(
                name="account_employees_range",
                condition=Q(employees=None) | Q(employees__gte=0, employees__lte=MAX_EMPLOYEES),
                violation_error_code="employees",
                violation_error_message=_("Enter a number from 0 to 99,999,999."),
            ),
            models.CheckConstraint(
                name="account_duns_digits",
                condition=Q(duns="")
                | (Q(Exact(Length("duns"), 9)) & Q(Exact(DUNS_REST, Value("")))),
                violation_error_code="duns",
                violation_error_message=_("A D-U-N-S number has 9 digits."),
            ),
            models.CheckConstraint(
                name="account_individual_no_parent",
                condition=~Q(kind="INDIVIDUAL") | Q(parent=None),
                violation_error_code="parent",
                violation_error_message=_("A private person has no parent account."),
            ),
            *long_text_constraints("account", "billing_street", 255),
            *long_text_constraints("account", "shipping_street", 255),
            *long_text_constraints("account", "description", 32000),
            models.UniqueConstraint(
                name="account_external_uniq",
                fields=["external_source", "external_id"],
                condition=~Q(external_id=""),
                violation_error_code="external_id",
                violation_error_message=_("An account with this external id exists already."),
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "name", "id"], name="account_owner_name_idx"),
            models.Index(
                fields=["owner", "type", "status"],
                condition=Q(archived_at=None),
                name="account_live_idx",
            ),
            SearchIndex(
                fields=["archived_at", "created_at", "id", "search_text"], name="account_search_idx"
            ),
            models.Index(fields=["name", "id"], name="account_name_idx"),
            models.Index(fields=["created_at", "id"], name="account_created_at_idx"),
            models.Index(fields=["annual_revenue", "id"], name="account_annual_revenue_idx"),
            models.Index(fields=["employees", "id"], name="account_employees_idx"),
            models.Index(fields=["billing_city", "id"], name="account_billing_city_idx"),
            models.Index(fields=["name_key"], name="account_name_key_idx"),
            models.Index(fields=["domain"], name="account_domain_idx"),
            models.Index(fields=["phone_e164"], name="account_phone_e164_idx"),
        ]

    def __str__(self):
        return self.name

    @property
    def hint(self):
        return self.billing_city

    def get_absolute_url(self):
        return address_of("accounts:account_detail", self.pk)

    @property
    def branch(self):
        """The beginning of the path of everything below this account."""
        return f"{self.path}{self.pk}/"

    @property
    def ancestor_ids(self):
        """The keys of the accounts above this one, from the top."""
        return [int(part) for part in self.path.split("/") if part]

    @property
    def tree_id(self):
        """The key of the account at the top of this one's hierarchy."""
        return self.root_id or self.pk

    @property
    def tree_branch(self):
        """The branch of the account at the top of this one's hierarchy."""
        return f"/{self.tree_id}/"

    @property
    def is_placed(self):
        """Whether the path ends with the present parent; what moves above rewrites it by itself."""
        return self.ancestor_ids[-1:] == ([] if self.parent_id is None else [self.parent_id])

    @property
    def is_individual(self):
        return self.kind == self.Kind.INDIVIDUAL

    @property
    def is_active(self):
        return self.status == self.Status.ACTIVE

    @property
    def may_have_children(self):
        """Whether an account may stand below this one: private persons have none, nor the 20th."""
        return not self.is_individual and self.depth < MAX_DEPTH

    @property
    def billing_differs(self):
        """Whether there is a billing address that is not the shipping address as well."""
        billing, shipping = (
            [getattr(self, f"{use}_{part}") for part in ADDRESS_PARTS]
            for use in ("billing", "shipping")
        )
        return any(billing) and billing != shipping

    def ship_to_billing(self):
        """Save the billing address as the shipping address too."""
        for part in ADDRESS_PARTS:
            setattr(self, f"shipping_{part}", getattr(self, f"billing_{part}"))
        self.save(update_fields=[f"shipping_{part}" for part in ADDRESS_PARTS])

    @classmethod
    def clean_rules(cls, cleaned, errors, context):
        super().clean_rules(cleaned, errors, context)
        for field in ("ticker_symbol", "tax_id"):
            if field in cleaned:
                cleaned[field] = cleaned[field].upper()
        for field in ("billing_postal_code", "shipping_postal_code"):
            if field in cleaned:
                cleaned[field] = cleaned[field].upper()
        duns = cleaned.get("duns")
        if duns and not (len(duns) == 9 and duns.isascii() and duns.isdigit()):
            errors.setdefault("duns", []).append(_("A D-U-N-S number has 9 digits."))
        _clean_parent(cleaned, errors, context.instance)

    @classmethod
    def derive(cls, records):
        super().derive(records)
        organisation = Organisation.current()
        derive_e164(records, organisation.default_country)
        free = free_mail_domains(organisation)
        for account in records:
            account.name_key = name_key(account.name)
            account.domain = domain_of(account.website, free)
        _place(cls, records)

    @classmethod
    def derive_further(cls, records, before):
        """Let the accounts below a moved one follow it, one statement for each moved account."""
        moves = [(before[account.pk], account) for account in records if account.pk in before]
        # The deepest first: what lies below it must not be carried away by an account above.
        for old, account in sorted(moves, key=lambda move: -move[0].depth):
            if old.path != account.path:
                _carry(cls, old, account)


def _clean_parent(cleaned, errors, instance):
    """Refuse a parent that can never be one; cycles and depth are for the locked move."""
    parent = cleaned.get("parent")
    if parent is None:
        return
    kind = cleaned.get("kind", instance.kind if instance else Account.Kind.BUSINESS)
    if kind == Account.Kind.INDIVIDUAL:
        errors.setdefault("parent", []).append(_("A private person has no parent account."))
    if parent.archived_at is not None:
        message = _("%(parent)s is in the recycle bin.") % {"parent": parent}
        errors.setdefault("parent", []).append(message)


def _place(model, accounts):
    """
    Set path, depth and root of ``accounts`` from their parents, under the lock of the hierarchy.

    :raises WouldMakeCycle: if an account would come to lie below itself
    """
    if all(account.is_placed for account in accounts):
        return  # nobody moves; what moves above rewrites these rows by itself
    _Places(model, accounts).place_all()


class _Places:
    """The new places of accounts that are written together, some below others perhaps."""

    def __init__(self, model, accounts):
        self.accounts = accounts
        self.together = {account.pk: account for account in accounts if account.pk is not None}
        self.placed = set()
        self.parents = {}
        wanted = {account.parent_id for account in accounts} - {None} - set(self.together)
        if any(account.parent_id for account in accounts):
            lock_tree()
        if wanted:
            stored = models.QuerySet(model).filter(pk__among=sorted(wanted))
            rows = stored.only("pk", "path", "depth", "root", "parent").order_by("pk")
            self.parents = {parent.pk: parent for parent in rows}

    def place_all(self):
        for account in self.accounts:
            self.place(account, ())

    def place(self, account, below):
        """Set the place of ``account``; ``below`` are the keys of those that wait for it."""
        if id(account) in self.placed:
            return
        if account.pk is not None and account.pk in below:
            raise _cycle(account)
        if account.parent_id is None:
            account.path, account.depth, account.root_id = "/", 0, None
        else:
            account.path = self.branch_of(account.parent_id, (*below, account.pk))
            account.depth = len(account.ancestor_ids)
            account.root_id = account.ancestor_ids[0]
            if account.pk is not None and account.pk in account.ancestor_ids:
                raise _cycle(account)
        self.placed.add(id(account))

    def branch_of(self, parent_id, below):
        """The path below a parent; where one above it moves in the same write, its new one."""
        if parent_id in self.together:
            parent = self.together[parent_id]
            self.place(parent, below)
            return parent.branch
        chain = [*self.parents[parent_id].ancestor_ids, parent_id]
        moving = [n for n, pk in enumerate(chain) if pk in self.together]
        if not moving:
            return self.parents[parent_id].branch
        above = self.together[chain[moving[-1]]]
        self.place(above, below)
        return above.branch + "".join(f"{pk}/" for pk in chain[moving[-1] + 1 :])


def _cycle(account):
    message = _("%(account)s would be below itself.") % {"account": account}
    return WouldMakeCycle(message, field="parent")


def _carry(model, old, account):
    """Rewrite path, depth and root of everything below ``account``, which was at ``old``."""
    below = models.QuerySet(model).filter(path_begins("path", old.branch, account._state.db))
    below.update(
        path=Concat(Value(account.branch), Substr("path", len(old.branch) + 1)),
        depth=F("depth") + (account.depth - old.depth),
        root=account.tree_id,
    )


class AccountShare(Share):
    """That somebody else may see or edit an account."""

    record = models.ForeignKey(
        Account, models.CASCADE, related_name="shares", verbose_name=_("account")
    )

    class Meta(Share.Meta):
        verbose_name = _("share of an account")
        verbose_name_plural = _("shares of accounts")
