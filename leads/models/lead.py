"""The lead."""

import datetime

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    MAX_EMPLOYEES,
    Account,
    Rating,
    default_currency,
    free_mail_domains,
    inside,
)
from contacts.models import Contact, PreferredChannel
from contacts.models.contact import OPT_OUTS, clean_language, clear_bounce, note_opt_outs
from core import normalise
from core.addresses import address_of
from core.fields import (
    CountryField,
    CurrencyField,
    E164Field,
    EmailField,
    ListField,
    LongTextField,
    MoneyField,
    PhoneField,
    StringListField,
    UrlField,
    UrlListField,
    derive_e164,
    long_text_constraints,
)
from core.indexes import SearchIndex
from core.models import Organisation, OwnedRecord, RecordQuerySet
from core.normalise import domain_of, email_key, name_key, person_key
from core.prepared import prepared
from core.reach import ADDRESS_PARTS, Loan
from leads.models.rule import AssignmentRule
from leads.models.status import MOVES, LeadStatus, Phase

OTHER = "Other"
NOT_RECORDED = "Not recorded"
INTEREST_POINTS = {"NONE": 0, "LOW": 8, "MEDIUM": 16, "HIGH": 25}
BUDGET_POINTS = {"NO_BUDGET": 0, "UNKNOWN": 5, "PLANNED": 15, "APPROVED": 25}
AUTHORITY_POINTS = {"NONE": 0, "INFLUENCER": 12, "DECISION_MAKER": 25}
TIMELINE_POINTS = {
    "NONE": 0,
    "OVER_12_MONTHS": 5,
    "WITHIN_12_MONTHS": 12,
    "WITHIN_6_MONTHS": 18,
    "WITHIN_3_MONTHS": 25,
}
POINTS = {
    "interest": INTEREST_POINTS,
    "budget_status": BUDGET_POINTS,
    "authority": AUTHORITY_POINTS,
    "timeline": TIMELINE_POINTS,
}
"""What each answer of the qualification counts; 25 at most for each of the four."""
HANDOVER_FIELDS = (
    *("handed_over_to", "handed_over_by", "handed_over_at", "handover_note"),
    *("returned_by", "return_reason"),
)
LIKELY_ACCOUNTS = 1000  # of a larger hierarchy the accounts nearest to the top are compared


def default_status():
    """The key of the status of a new lead."""
    return LeadStatus.default().pk


class Likeness(models.IntegerChoices):
    """Why a lead seems to belong to an account, the surest reason first."""

    CONFIRMED = 1, _("said to belong here")
    DOMAIN = 2, _("same domain")
    NAME = 3, _("same name")


class AssignedBy(models.TextChoices):
    """What chose the owner of a lead when the assignment rules were asked."""

    RULE = "RULE", _("A rule")
    ACCOUNT = "ACCOUNT", _("The owner of its account")
    DEFAULT = "DEFAULT", _("No rule fits: the default owner")
    FALLBACK = "FALLBACK", _("A rule whose target is away: its fallback owner")
    INSTEAD = "INSTEAD", _("A rule whose target is away: the default owner")
    KEPT = "KEPT", _("Nobody could take it")


BY_A_RULE = (AssignedBy.RULE, AssignedBy.FALLBACK, AssignedBy.INSTEAD)
WARNED_OF = (AssignedBy.FALLBACK, AssignedBy.INSTEAD, AssignedBy.KEPT)
"""Administrators are told of these: somebody is away, or a setting is missing."""


class LeadQuerySet(RecordQuerySet):
    def handed_over(self):
        """Open leads that wait for the answer of the one to whom they were handed over."""
        return self.open().live().filter(handed_over_to__isnull=False)

    def open(self):
        """Leads that can still become something."""
        return self.exclude(phase__in=[Phase.CONVERTED, Phase.DEAD])

    def converted(self):
        return self.filter(phase=Phase.CONVERTED)

    def unconverted(self):
        return self.exclude(phase=Phase.CONVERTED)

    def with_email(self, address):
        """Leads that have ``address`` as first or second e-mail, however it is written."""
        key = email_key(address)
        return self.filter(Q(email_key=key) | Q(secondary_email_key=key)) if key else self.none()

    def likely_for(self, account):
        """
        Open leads that seem to belong to ``account`` or an account below it, with why.

        ``likeness`` is the reason, the surest first: the lead's own confirmed account, which
        wins over the others; the same web or e-mail domain, free mail left out, which
        ``same_domain`` names; the same company name. The keys of the accounts are read first,
        so that the leads are found by their indexes.
        """
        return self.likely_by(*what_leads_say_of(account))

    def likely_by(self, keys, domains, names):
        """The same by the keys, domains and folded names of the accounts."""
        said = Q(matched_account__among=keys)
        by_email, by_web = Q(email_domain__among=domains), Q(web_domain__among=domains)
        by_name = Q(company_key__among=names)
        # Each by its own index and before anything else is asked: joined by OR, or beside the
        # owners, the databases would read through all leads.
        reasons = (
            self.model.objects.filter(reason).order_by().values("pk")
            for reason in (said, by_email, by_web, by_name)
        )
        found = next(reasons).union(*reasons)
        return (
            self.open()
            .live()
            .filter(said | Q(matched_account=None), pk__in=found)
            .annotate(
                likeness=Case(
                    When(said, then=Value(Likeness.CONFIRMED)),
                    When(by_email | by_web, then=Value(Likeness.DOMAIN)),
                    default=Value(Likeness.NAME),
                ),
                same_domain=Case(
                    When(by_email, then=F("email_domain")),
                    When(by_web, then=F("web_domain")),
                    default=Value(""),
                ),
            )
        )


def what_leads_say_of(account):
    """The keys, domains and folded names of ``account`` and those below it, for ``likely_by``."""
    rows = _tree_in_short(inside(account.branch))
    return [sorted(set(values) - {""}) for values in zip(*rows, strict=True)] or [[], [], []]


@prepared
def _tree_in_short(accounts):
    rows = Account.objects.live().filter(accounts).order_by("depth", "pk")
    return rows.values_list("pk", "domain", "name_key")[:LIKELY_ACCOUNTS]


class Lead(OwnedRecord):
    """A person or organisation that may be interested and is not vetted yet."""

    class Lifecycle(models.TextChoices):
        RAW = "RAW", _("Raw")
        MQL = "MQL", _("Marketing qualified")
        SAL = "SAL", _("Sales accepted")
        SQL = "SQL", _("Sales qualified")

    class CaptureChannel(models.TextChoices):
        MANUAL = "MANUAL", _("By hand")
        WEB_FORM = "WEB_FORM", _("Web form")
        IMPORT = "IMPORT", _("Import")
        EMAIL = "EMAIL", _("E-mail")
        API = "API", _("API")
        CHAT = "CHAT", _("Chat")

    class Interest(models.TextChoices):
        NONE = "NONE", _("None")
        LOW = "LOW", _("Low")
        MEDIUM = "MEDIUM", _("Medium")
        HIGH = "HIGH", _("High")

    class BudgetStatus(models.TextChoices):
        NO_BUDGET = "NO_BUDGET", _("No budget")
        UNKNOWN = "UNKNOWN", _("Unknown")
        PLANNED = "PLANNED", _("Planned")
        APPROVED = "APPROVED", _("Approved")

    class Authority(models.TextChoices):
        NONE = "NONE", _("None")
        INFLUENCER = "INFLUENCER", _("Influencer")
        DECISION_MAKER = "DECISION_MAKER", _("Decision maker")

    class Timeline(models.TextChoices):
        NONE = "NONE", _("None")
        OVER_12_MONTHS = "OVER_12_MONTHS", _("Over 12 months")
        WITHIN_12_MONTHS = "WITHIN_12_MONTHS", _("Within 12 months")
        WITHIN_6_MONTHS = "WITHIN_6_MONTHS", _("Within 6 months")
        WITHIN_3_MONTHS = "WITHIN_3_MONTHS", _("Within 3 months")

    salutation = ListField(_("salutation"), list_key="salutation", blank=True)
    first_name = models.CharField(_("first name"), max_length=40, blank=True)
    middle_name = models.CharField(_("middle name"), max_length=40, blank=True)
    last_name = models.CharField(_("last name"), max_length=80, blank=True)
    suffix = models.CharField(_("suffix"), max_length=40, blank=True)
    name_key = models.CharField(max_length=250, blank=True, editable=False)
    company = models.CharField(_("company"), max_length=255, blank=True)
    company_key = models.CharField(max_length=255, blank=True, editable=False)
    title = models.CharField(_("title"), max_length=128, blank=True)
    department = models.CharField(_("department"), max_length=80, blank=True)

    status = models.ForeignKey(
        LeadStatus,
        models.PROTECT,
        default=default_status,
        blank=True,
        related_name="leads",
        verbose_name=_("status"),
    )
    phase = models.CharField(
        _("phase"), max_length=9, choices=Phase, default=Phase.OPEN, editable=False
    )
    status_changed_at = models.DateTimeField(
        _("in this status since"), default=timezone.now, editable=False
    )
    lifecycle = models.CharField(
        _("lifecycle"), max_length=3, choices=Lifecycle, default=Lifecycle.RAW
    )
    mql_at = models.DateTimeField(_("marketing qualified at"), null=True, editable=False)
    sal_at = models.DateTimeField(_("sales accepted at"), null=True, editable=False)
    sql_at = models.DateTimeField(_("sales qualified at"), null=True, editable=False)
    first_response_at = models.DateTimeField(_("first response at"), null=True, editable=False)
    last_contacted_at = models.DateTimeField(_("last contacted at"), null=True, editable=False)
    disqualify_reason = ListField(
        _("reason for disqualifying"), list_key="disqualify_reason", blank=True
    )
    disqualify_note = models.CharField(_("note on the reason"), max_length=255, blank=True)
    nurture_until = models.DateField(_("nurture until"), null=True, blank=True)
    converted_at = models.DateTimeField(_("converted at"), null=True, editable=False)
    matched_account = models.ForeignKey(
        Account,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="matched_leads",
        verbose_name=_("belongs to"),
    )

    assigned_by = models.CharField(
        _("owner chosen by"), max_length=8, choices=AssignedBy, blank=True, editable=False
    )
    assigned_by_rule = models.ForeignKey(
        AssignmentRule,
        models.PROTECT,
        null=True,
        editable=False,
        db_index=False,
        related_name="assigned_leads",
        verbose_name=_("assigned by rule"),
    )
    assigned_at = models.DateTimeField(_("assigned by rules at"), null=True, editable=False)
    handed_over_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        db_index=False,
        related_name="+",
        verbose_name=_("handed over to"),
    )
    handed_over_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        db_index=False,
        related_name="+",
        verbose_name=_("handed over by"),
    )
    handed_over_at = models.DateTimeField(_("handed over at"), null=True, editable=False)
    handover_note = LongTextField(
        _("note on the hand-over"), limit=1000, blank=True, editable=False
    )
    returned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        db_index=False,
        related_name="+",
        verbose_name=_("returned by"),
    )
    return_reason = LongTextField(_("reason of the return"), limit=1000, blank=True, editable=False)

    rating = models.CharField(_("rating"), max_length=4, choices=Rating, blank=True)
    lead_source = ListField(_("lead source"), list_key="lead_source", blank=True)
    source_detail = models.CharField(_("source in detail"), max_length=255, blank=True)
    utm = models.JSONField(_("campaign parameters"), default=dict, blank=True, editable=False)
    capture_channel = models.CharField(
        _("captured by"),
        max_length=8,
        choices=CaptureChannel,
        default=CaptureChannel.MANUAL,
        editable=False,
    )
    industry = ListField(_("industry"), list_key="industry", blank=True)
    annual_revenue = MoneyField(
        _("annual revenue"), max_digits=15, decimal_places=0, null=True, blank=True
    )
    currency = CurrencyField(_("currency"), default=default_currency)
    employees = models.PositiveIntegerField(_("employees"), null=True, blank=True)

    email = EmailField(_("e-mail"), blank=True)
    email_key = models.CharField(max_length=254, blank=True, editable=False)
    email_domain = models.CharField(max_length=255, blank=True, editable=False)
    secondary_email = EmailField(_("second e-mail"), blank=True)
    secondary_email_key = models.CharField(max_length=254, blank=True, editable=False)
    phone = PhoneField(_("phone"), blank=True)
    phone_e164 = E164Field(source="phone")
    mobile = PhoneField(_("mobile"), blank=True)
    mobile_e164 = E164Field(source="mobile")
    fax = PhoneField(_("fax"), blank=True)
    fax_e164 = E164Field(source="fax")
    website = UrlField(_("website"), blank=True)
    web_domain = models.CharField(max_length=255, blank=True, editable=False)
    linkedin_url = UrlField(_("LinkedIn page"), blank=True)
    social_profiles = UrlListField(_("social profiles"), limit=10, blank=True)
    street = LongTextField(_("street"), limit=255, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    state = models.CharField(_("state or region"), max_length=80, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    country = CountryField(_("country"), blank=True)
    preferred_channel = models.CharField(
        _("preferred channel"), max_length=7, choices=PreferredChannel, blank=True
    )
    language = models.CharField(_("language"), max_length=8, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=40, blank=True)
    interests = StringListField(_("interests"), limit=30, blank=True)

    product_interest = models.CharField(_("interested in"), max_length=255, blank=True)
    need = LongTextField(_("need"), limit=2000, blank=True)
    interest = models.CharField(_("interest"), max_length=6, choices=Interest, blank=True)
    budget_status = models.CharField(
        _("budget status"), max_length=9, choices=BudgetStatus, blank=True
    )
    budget = MoneyField(_("budget"), null=True, blank=True)
    budget_currency = CurrencyField(_("budget currency"), default=default_currency)
    authority = models.CharField(_("authority"), max_length=14, choices=Authority, blank=True)
    timeline = models.CharField(_("timeline"), max_length=16, choices=Timeline, blank=True)
    qualification_score = models.PositiveSmallIntegerField(
        _("qualification"), default=0, editable=False
    )
    engagement_score = models.PositiveSmallIntegerField(_("engagement"), default=0, editable=False)

    email_opt_out = models.BooleanField(_("no e-mail"), default=False)
    email_opt_out_at = models.DateTimeField(_("no e-mail since"), null=True, editable=False)
    email_opt_out_source = models.CharField(
        _("no e-mail by"), max_length=10, choices=Contact.OptOutSource, blank=True, editable=False
    )
    do_not_call = models.BooleanField(_("no calls"), default=False)
    do_not_call_at = models.DateTimeField(_("no calls since"), null=True, editable=False)
    do_not_call_source = models.CharField(
        _("no calls by"), max_length=10, choices=Contact.OptOutSource, blank=True, editable=False
    )
    fax_opt_out = models.BooleanField(_("no fax"), default=False)
    fax_opt_out_at = models.DateTimeField(_("no fax since"), null=True, editable=False)
    fax_opt_out_source = models.CharField(
        _("no fax by"), max_length=10, choices=Contact.OptOutSource, blank=True, editable=False
    )
    email_bounced_at = models.DateTimeField(_("e-mail bounced"), null=True, editable=False)
    email_bounce_reason = models.CharField(
        _("reason of the bounce"), max_length=255, blank=True, editable=False
    )
    consent_note = LongTextField(_("consent"), limit=1000, blank=True)
    description = LongTextField(_("description"), limit=32000, blank=True)

    access = "lead"
    named_by = (
        "salutation",
        "first_name",
        "middle_name",
        "last_name",
        "suffix",
        "company",
        "email",
    )
    about = _("A lead is somebody who may be interested and is not vetted yet.")
    together = (
        ("annual_revenue", "currency"),
        ("budget", "budget_currency"),
        ADDRESS_PARTS,
        *((name, f"{name}_at", f"{name}_source") for name in OPT_OUTS),
        ("assigned_by", "assigned_by_rule", "assigned_at"),
        HANDOVER_FIELDS,
    )
    values_of_rules = {"disqualify_reason": (OTHER, NOT_RECORDED)}
    search_fields = (
        "first_name",
        "middle_name",
        "last_name",
        "company",
        "email",
        "secondary_email",
        "phone",
        "mobile",
    )
    search_keys = {
        "name_key": normalise.person_key,
        "company_key": normalise.name_key,
        "email_key": normalise.email_key,
        "secondary_email_key": normalise.email_key,
    }
    derived = {
        **OwnedRecord.derived,
        "search_text": search_fields,
        "name_key": ("first_name", "last_name"),
        "company_key": ("company",),
        "email_key": ("email",),
        "email_domain": ("email",),
        "secondary_email_key": ("secondary_email",),
        "web_domain": ("website",),
        "phone_e164": ("phone", "country"),
        "mobile_e164": ("mobile", "country"),
        "fax_e164": ("fax", "country"),
        "qualification_score": tuple(POINTS),
    }

    objects = LeadQuerySet.as_manager()

    class Meta(OwnedRecord.Meta):
        verbose_name = _("lead")
        verbose_name_plural = _("leads")
        constraints = [
            *OwnedRecord.Meta.constraints,
            models.CheckConstraint(
                name="lead_has_identity",
                condition=~Q(last_name="", company="", email=""),
                violation_error_code="last_name",
                violation_error_message=_("Enter a last name, a company or an e-mail address."),
            ),
            models.CheckConstraint(
                name="lead_converted_consistent",
                condition=Q(phase="CONVERTED", converted_at__isnull=False)
                | (~Q(phase="CONVERTED") & Q(converted_at=None)),
                violation_error_code="status",
                violation_error_message=_("A lead is converted by Convert only."),
            ),
            models.CheckConstraint(
                name="lead_dead_has_reason",
                condition=(Q(phase="DEAD") & ~Q(disqualify_reason=""))
                | (~Q(phase="DEAD") & Q(disqualify_reason="")),
                violation_error_code="disqualify_reason",
                violation_error_message=_("Say why the lead is given up, and only then."),
            ),
            models.CheckConstraint(
                name="lead_nurture_date",
                condition=~Q(phase="NURTURING") | Q(nurture_until__isnull=False),
                violation_error_code="nurture_until",
                violation_error_message=_("Say until when the lead rests."),
            ),
            models.CheckConstraint(
                name="lead_amounts_gte_0",
                condition=(Q(annual_revenue=None) | Q(annual_revenue__gte=0))
                & (Q(budget=None) | Q(budget__gte=0)),
                violation_error_code="budget",
                violation_error_message=_("Amounts cannot be negative."),
            ),
            models.CheckConstraint(
                name="lead_employees_range",
                condition=Q(employees=None) | Q(employees__gte=0, employees__lte=MAX_EMPLOYEES),
                violation_error_code="employees",
                violation_error_message=_("Enter a number from 0 to 99,999,999."),
            ),
            models.CheckConstraint(
                name="lead_scores_range",
                condition=Q(qualification_score__lte=100, engagement_score__lte=100),
                violation_error_message=_("Scores lie between 0 and 100."),
            ),
            models.CheckConstraint(
                name="lead_assigned_whole",
                condition=Q(assigned_by="", assigned_by_rule=None, assigned_at=None)
                | Q(
                    assigned_by__in=BY_A_RULE,
                    assigned_by_rule__isnull=False,
                    assigned_at__isnull=False,
                )
                | Q(
                    assigned_by__in=["ACCOUNT", "DEFAULT"],
                    assigned_by_rule=None,
                    assigned_at__isnull=False,
                )
                | Q(assigned_by="KEPT", assigned_at__isnull=False),
                violation_error_message=_("What a rule assigned says which rule, and when."),
            ),  # fmt: skip
            models.CheckConstraint(
                name="lead_handover_whole",
                condition=Q(handed_over_to=None, handed_over_by=None, handed_over_at=None)
                | Q(handed_over_by__isnull=False, handed_over_at__isnull=False),
                violation_error_message=_("A hand-over says by whom and when."),
            ),
            models.CheckConstraint(
                name="lead_not_handed_to_owner",
                condition=Q(handed_over_to=None) | ~Q(handed_over_to=F("owner")),
                violation_error_message=_("Nobody is handed over what he owns."),
            ),
            models.CheckConstraint(
                name="lead_return_whole",
                condition=Q(returned_by=None, return_reason="")
                | (Q(returned_by__isnull=False, handed_over_to=None) & ~Q(return_reason="")),
                violation_error_code="return_reason",
                violation_error_message=_("Say why the lead is returned."),
            ),
            *long_text_constraints("lead", "street", 255),
            *long_text_constraints("lead", "need", 2000),
            *long_text_constraints("lead", "consent_note", 1000),
            *long_text_constraints("lead", "description", 32000),
            *long_text_constraints("lead", "handover_note", 1000),
            *long_text_constraints("lead", "return_reason", 1000),
            models.UniqueConstraint(
                name="lead_external_uniq",
                fields=["external_source", "external_id"],
                condition=~Q(external_id=""),
                violation_error_code="external_id",
                violation_error_message=_("A lead with this external id exists already."),
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "created_at", "id"], name="lead_owner_created_at_idx"),
            models.Index(
                fields=["owner", "phase", "lead_source", "qualification_score"],
                condition=Q(archived_at=None),
                name="lead_live_idx",
            ),
            models.Index(  # has all by which the start page ranks the leads of its user
                fields=[
                    "owner",
                    "phase",
                    "qualification_score",
                    "created_at",
                    "id",
                    "nurture_until",
                ],
                condition=Q(archived_at=None),
                name="lead_day_idx",
            ),
            SearchIndex(
                fields=["owner", "phase", "archived_at", "created_at", "search_text"],
                name="lead_search_idx",
            ),
            models.Index(fields=["last_name", "id"], name="lead_last_name_idx"),
            models.Index(fields=["company", "id"], name="lead_company_idx"),
            models.Index(fields=["created_at", "id"], name="lead_created_at_idx"),
            models.Index(fields=["qualification_score", "id"], name="lead_qualification_score_idx"),
            models.Index(fields=["status_changed_at", "id"], name="lead_status_changed_at_idx"),
            models.Index(fields=["phase", "created_at", "id"], name="lead_phase_created_at_idx"),
            models.Index(fields=["name_key"], name="lead_name_key_idx"),
            models.Index(fields=["company_key"], name="lead_company_key_idx"),
            models.Index(fields=["email_key"], name="lead_email_key_idx"),
            models.Index(fields=["email_domain"], name="lead_email_domain_idx"),
            models.Index(fields=["secondary_email_key"], name="lead_secondary_email_key_idx"),
            models.Index(fields=["web_domain"], name="lead_web_domain_idx"),
            models.Index(fields=["phone_e164"], name="lead_phone_e164_idx"),
            models.Index(fields=["mobile_e164"], name="lead_mobile_e164_idx"),
            models.Index(
                fields=["handed_over_to"],
                condition=Q(handed_over_to__isnull=False),
                name="lead_pending_handover_idx",
            ),
            models.Index(
                fields=["assigned_by_rule"],
                condition=Q(assigned_by_rule__isnull=False),
                name="lead_assigned_by_rule_idx",
            ),
            models.Index(
                fields=["assigned_at", "id"],
                condition=Q(assigned_by__in=WARNED_OF),
                name="lead_assigned_warning_idx",
            ),
        ]

    def __str__(self):
        return self.full_name or self.company or self.email

    @property
    def hint(self):
        return self.company if self.full_name else self.email

    @property
    def mark(self):
        return super().mark or (_("Converted") if self.is_converted else "")

    def get_absolute_url(self):
        return address_of("leads:lead_detail", self.pk)

    @property
    def full_name(self):
        """Salutation, first, middle and last name and suffix; blank without a name at all."""
        names = [name for name in (self.first_name, self.middle_name, self.last_name) if name]
        if not names:
            return ""
        return " ".join(part for part in (self.salutation, *names, self.suffix) if part)

    @property
    def is_converted(self):
        return self.converted_at is not None

    @property
    def is_closed(self):
        """Whether nothing more becomes of it, as it is converted or given up."""
        return self.phase in (Phase.CONVERTED, Phase.DEAD)

    @property
    def is_individual(self):
        """Whether the lead is a private person, who becomes an account of that kind."""
        return not self.company

    @property
    def qualification_parts(self):
        """The points of each part of the qualification score; None where it is not known yet."""
        return {name: points.get(getattr(self, name)) for name, points in POINTS.items()}

    @property
    def unknown_parts(self):
        """The parts of the qualification to ask about."""
        return [name for name, points in self.qualification_parts.items() if points is None]

    @property
    def qualification_band(self):
        """``low``, ``medium`` or ``high``."""
        if self.qualification_score >= 60:
            return "high"
        return "medium" if self.qualification_score >= 40 else "low"

    @property
    def can_be_reached(self):
        """Whether there is an e-mail address or a phone number, as Qualified asks for."""
        return bool(self.email or self.phone or self.mobile)

    def may_move_to(self, phase):
        """Whether the lead may go to ``phase`` by hand."""
        return phase == self.phase or phase in MOVES[Phase(self.phase)]

    def next_statuses(self):
        """The statuses that people may choose for this lead now, by position."""
        return [s for s in LeadStatus.choices() if self.may_move_to(s.phase)]

    def enter(self, status, *, at, reason="", note="", until=None):
        """
        Set the status and what goes with it; saves nothing.

        The reason and its note stay only in the phase Dead, the date only while nurturing;
        earlier ones are in the journal.
        """
        self.status = status
        self.phase = status.phase
        self.status_changed_at = at
        dead = status.phase == Phase.DEAD
        self.disqualify_reason, self.disqualify_note = (reason, note) if dead else ("", "")
        self.nurture_until = until if status.phase == Phase.NURTURING else None

    def become_converted(self, status, *, at):
        """Set what makes this a converted lead, its lifecycle included; saves nothing."""
        self.enter(status, at=at)
        self.converted_at = at
        self.lifecycle = self.Lifecycle.SQL
        for name in ("mql_at", "sal_at", "sql_at"):
            if getattr(self, name) is None:
                setattr(self, name, at)

    def mark_converted(self, *, status, at):
        """Save what makes this a converted lead, its lifecycle included."""
        self.become_converted(status, at=at)
        self.save()

    @classmethod
    def loans(cls, asker):
        """A lead is lent to both sides of a hand-over that waits, and to who stands above them."""
        concerned = (
            Q(handed_over_to=asker.user)
            | Q(handed_over_by=asker.user)
            | Q(handed_over_to__manager=asker.user)
            | Q(handed_over_to__team__manager=asker.user)
        )
        return [Loan(cls._meta.label, cls.objects.handed_over().filter(concerned))]

    def give_to(self, owner):
        """Set the owner; no rule has chosen him, and a hand-over to another one is settled."""
        is_settled = self.handed_over_to_id is not None and owner.pk != self.owner_id
        names = super().give_to(owner)
        self.assigned_by, self.assigned_by_rule, self.assigned_at = "", None, None
        names += ["assigned_by", "assigned_by_rule", "assigned_at"]
        return names + self.end_handover() if is_settled else names

    def end_handover(self):
        """Forget the hand-over; the journal keeps it. Saves nothing, returns the fields' names."""
        self.handed_over_to = self.handed_over_by = self.handed_over_at = self.returned_by = None
        self.handover_note = self.return_reason = ""
        return list(HANDOVER_FIELDS)

    @property
    def is_handed_over(self):
        """Whether a hand-over of the lead waits for its answer."""
        return self.handed_over_to_id is not None and not self.is_closed

    def waits_for(self, user):
        """Whether the lead was handed over to ``user``, who has not answered yet."""
        return self.is_handed_over and self.handed_over_to_id == user.pk

    @property
    def answer_due_at(self):
        """Until when the one to whom the lead was handed over should answer."""
        hours = Organisation.current().sdr_handover_hours
        return self.handed_over_at + datetime.timedelta(hours=hours)

    def is_answer_overdue(self, *, now):
        """Whether the hand-over has waited longer than the organisation wants."""
        return self.is_handed_over and now > self.answer_due_at

    def why_read_only(self):
        if not self.is_converted:
            return ""
        return _("The lead is converted. Undo the conversion to change it.")

    @classmethod
    def derive(cls, records):
        super().derive(records)
        organisation = Organisation.current()
        derive_e164(records, organisation.default_country)
        free = free_mail_domains(organisation)
        for lead in records:
            lead.name_key = person_key(lead.first_name, lead.last_name)
            lead.company_key = name_key(lead.company)
            lead.email_key = email_key(lead.email)
            lead.email_domain = domain_of(lead.email, free)
            lead.secondary_email_key = email_key(lead.secondary_email)
            lead.web_domain = domain_of(lead.website, free)
            lead.qualification_score = sum(p or 0 for p in lead.qualification_parts.values())

    @classmethod
    def clean_rules(cls, cleaned, errors, context):
        super().clean_rules(cleaned, errors, context)
        if cleaned.get("postal_code"):
            cleaned["postal_code"] = cleaned["postal_code"].upper()
        clean_language(cleaned, errors)
        note_opt_outs(cleaned, context, OPT_OUTS)
        clear_bounce(cleaned, context.instance)
        _Rules(cleaned, errors, context).check()


class _Rules:
    """The rules over several values of one lead, for forms, API and files alike."""

    def __init__(self, cleaned, errors, context):
        self.cleaned = cleaned
        self.errors = errors
        self.context = context
        instance = context.instance
        self.stored = instance if instance is not None and instance.pk is not None else None

    def check(self):
        self.check_identity()
        if self.stored is not None and self.stored.is_converted:
            return
        if "status" in self.errors:
            return
        if self.stored is None and self.cleaned.get("status") is None:
            self.cleaned["status"] = LeadStatus.default()
        status = self.value("status")
        if status is None:
            self.refuse("status", _("This field is required."))
            return
        moved = self.stored is None or status != self.stored.status
        if moved:
            self.check_move(status)
            self.cleaned["phase"] = status.phase
            self.cleaned.setdefault("status_changed_at", timezone.now())
        self.check_reason(status)
        self.check_nurture(status)

    def value(self, name):
        """The value as it would be saved."""
        if name in self.cleaned:
            return self.cleaned[name]
        return getattr(self.stored, name) if self.stored is not None else None

    def refuse(self, name, message):
        self.errors.setdefault(name, []).append(message)

    def check_identity(self):
        names = ("last_name", "company", "email")
        if not any(self.value(name) or name in self.errors for name in names):
            message = _("Enter a last name, a company or an e-mail address.")
            self.refuse("last_name", message)

    def check_move(self, status):
        """Only conversion converts; the other moves are those of the table of phases."""
        imported = self.context.imported
        if status.phase == Phase.CONVERTED:
            if not (imported and self.cleaned.get("converted_at")):
                self.refuse("status", _("Use Convert."))
        elif self.stored is not None and not self.stored.may_move_to(status.phase):
            message = _("A lead in the phase “%(phase)s” cannot become “%(status)s”.")
            names = {"phase": self.stored.get_phase_display(), "status": status}
            self.refuse("status", message % names)
        elif status.phase == Phase.QUALIFIED and not imported:
            if not any(self.value(name) for name in ("email", "phone", "mobile")):
                message = _("A qualified lead needs an e-mail address or a phone number.")
                self.refuse("email", message)

    def check_reason(self, status):
        if status.phase != Phase.DEAD:
            self.cleaned |= {"disqualify_reason": "", "disqualify_note": ""}
            return
        reason = self.value("disqualify_reason")
        if not reason and self.context.imported:
            self.cleaned["disqualify_reason"] = reason = NOT_RECORDED
        if reason == NOT_RECORDED and not self.context.imported and not self.keeps_reason():
            self.refuse("disqualify_reason", _("“Not recorded” is for imported leads only."))
        refuse_unexplained(self, reason, self.value("disqualify_note"))

    def keeps_reason(self):
        return self.stored is not None and self.stored.disqualify_reason == NOT_RECORDED

    def check_nurture(self, status):
        if status.phase != Phase.NURTURING:
            self.cleaned["nurture_until"] = None
        elif self.value("nurture_until") is None and "nurture_until" not in self.errors:
            self.cleaned["nurture_until"] = nurture_preset(self.context.today)


def refuse_unexplained(rules, reason, note):
    """Refuse, by ``rules.refuse(field, message)``, giving a lead up without saying why."""
    if not reason:
        rules.refuse("disqualify_reason", _("Say why the lead is given up."))
    if reason == OTHER and not note:
        rules.refuse("disqualify_note", _("Say in a few words why the lead is given up."))


def nurture_preset(today):
    """The day on which a nurtured lead is looked at again if nobody says another one."""
    days = Organisation.current().nurture_recheck_days
    return today + datetime.timedelta(days=days)
