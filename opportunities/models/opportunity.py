"""The deal."""

import datetime
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar

from django.db import models
from django.db.models import BigIntegerField, Case, Count, F, Min, Q, Sum, Value, When
from django.db.models.functions import Cast, Round
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, default_currency, inside
from core import fiscal
from core.addresses import address_of
from core.currencies import CURRENCIES
from core.fields import (
    CurrencyField,
    ListField,
    LongTextField,
    MoneyField,
    PercentField,
    long_text_constraints,
)
from core.indexes import SearchIndex
from core.models import Organisation, OwnedRecord, RecordQuerySet
from core.prepared import prepared
from core.reach import where
from opportunities.models.role import DECIDING_ROLES
from opportunities.models.stage import ForecastCategory, Stage

OTHER = "Other"
LOST_TO_COMPETITOR = "Lost to competitor"
NOT_RECORDED = "Not recorded"
CONTRACT_MONTHS = (1, 240)
FIRST_CLOSE, LAST_CLOSE = datetime.date(1970, 1, 1), datetime.date(2100, 12, 31)
GAPS_FROM = 5  # the position of the stage from which a deal's committee should be complete
SMALLEST_COMMITTEE = 2

# Amounts are added up as whole thousandths: SQLite would add decimals as floats.
THOUSANDTHS = Cast(Round(F("amount") * 1000), BigIntegerField())
STEPS = sorted({10 ** (3 - currency.decimals) for currency in CURRENCIES.values()})


def default_close_date(today):
    """The close date that a new deal is offered."""
    return fiscal.close_date_preset(today, Organisation.current().fiscal_year_start_month)


def expected_revenue(amount, probability, currency):
    """Amount times probability, rounded half up to the currency's decimals; None if unknown."""
    if amount is None:
        return None
    decimals = CURRENCIES[currency].decimals if currency in CURRENCIES else 2
    step = Decimal(1).scaleb(-decimals)
    return (amount * probability / 100).quantize(step, ROUND_HALF_UP)


@dataclass(frozen=True)
class Totals:
    """
    What a set of deals adds up to in one currency.

    ``open_amount`` and ``weighted`` leave out deals of the category Omitted; ``unknown`` is
    the number of open deals without an amount. ``won_amount_year`` counts the fiscal year.
    """

    currency: str
    open_count: int = 0
    open_amount: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)
    unknown: int = 0
    won_count: int = 0
    won_amount: Decimal = Decimal(0)
    won_amount_year: Decimal = Decimal(0)
    lost_count: int = 0

    def __add__(self, other):
        if self.currency != other.currency:
            raise ValueError("Totals of different currencies are never added.")
        numbers = {name: getattr(self, name) + getattr(other, name) for name in NUMBERS}
        return Totals(self.currency, **numbers)

    @property
    def win_rate(self):
        """Won of all closed deals in percent; None while none is closed."""
        closed = self.won_count + self.lost_count
        return None if closed == 0 else round(Decimal(100) * self.won_count / closed, 1)


@dataclass(frozen=True)
class Part:
    """
    The Totals of an account's deals whose amounts are converted by the rate of one day.

    ``day`` is the close date of what is won in another currency than the organisation's; None
    for all other deals.
    """

    account_id: int
    path: str
    day: datetime.date | None
    totals: Totals
    first_won: datetime.date | None

    @property
    def places(self):
        """The keys of the account and of those above it."""
        return [*(int(key) for key in self.path.split("/") if key), self.account_id]


@dataclass(frozen=True)
class OpenSum:
    """How many open deals of one category, currency and time there are, and their amount."""

    forecast_category: str
    currency: str
    due: str  # OVERDUE, SOON or LATER
    count: int
    amount: Decimal

    OVERDUE: ClassVar = "overdue"
    SOON: ClassVar = "soon"
    LATER: ClassVar = "later"

    @classmethod
    def of(cls, row):
        """Made of a row of ``by_due``."""
        place = row["forecast_category"], row["currency"], row["due"]
        return cls(*place, row["count"], _amount(row["amount_sum"]))

    @property
    def is_counted(self):
        """Whether the forecast counts them."""
        return self.forecast_category != ForecastCategory.OMITTED


COUNTS = ("open_count", "unknown", "won_count", "lost_count")
SUMS = ("open_amount", "weighted", "won_amount", "won_amount_year")
NUMBERS = (*COUNTS, *SUMS)


class OpportunityQuerySet(RecordQuerySet):
    def open(self):
        return self.filter(is_closed=False)

    def won(self):
        return self.filter(is_won=True)

    def lost(self):
        return self.filter(is_closed=True, is_won=False)

    def overdue(self, *, today):
        """Open deals whose close date has passed."""
        return self.open().filter(close_date__lt=today)

    def pipeline(self):
        """Open deals that the forecast counts."""
        return self.open().exclude(forecast_category=ForecastCategory.OMITTED)

    def within(self, account):
        """Deals of ``account`` and of every account below it."""
        return self.of_accounts(inside(account.branch, self.db))

    def of_accounts(self, condition):
        """Deals of the accounts that meet ``condition``."""
        return self.filter(account__in=Account.objects.filter(condition).order_by())

    def for_contact(self, contact):
        """Deals in which ``contact`` has a role."""
        roles = contact.deal_roles.filter(opportunity=models.OuterRef("pk"))
        return self.filter(models.Exists(roles))

    def totals(self, *, today):
        """The Totals of these deals by currency, one query: {currency: Totals}."""
        found = {}
        for row in self._counted("currency", year=_fiscal_year(today)):
            known = found.get(row["currency"])
            found[row["currency"]] = _totals(row) if known is None else known + _totals(row)
        return found

    def totals_by_place(self, *, today):
        """The Parts of these deals along the hierarchies of their accounts, one query."""
        return map(_part, self.by_place(*_fiscal_year(today), default_currency()))

    def by_place(self, start, end, home):
        """
        The rows of which Parts are made, for the year from ``start`` to ``end``.

        What is won in another currency than ``home`` is told by close date.
        """
        foreign = Q(is_won=True) & ~Q(currency=home)
        day = Case(When(foreign, then=F("close_date")), output_field=models.DateField())
        place = "account_id", "account__path", "currency"
        return self._counted(*place, year=(start, end), rate_day=day)

    def by_due(self, today, soon):
        """
        The rows of which OpenSums are made, of those of these deals that are open.

        ``soon`` is the last day on which a deal closes soon.
        """
        due = Case(
            When(close_date__lt=today, then=Value(OpenSum.OVERDUE)),
            When(close_date__lte=soon, then=Value(OpenSum.SOON)),
            default=Value(OpenSum.LATER),
        )
        rows = self.open().order_by().values("forecast_category", "currency", due=due)
        return rows.annotate(count=Count("*"), amount_sum=Sum(THOUSANDTHS))

    def _counted(self, *by, year, **expressions):
        """
        The deals counted by what they have become: open, omitted from the forecast, won, lost.

        A row for each, that Python adds up: one sum with a condition for each figure takes
        Django twice as long to write as the database to answer.
        """
        start, end = year
        in_year = Q(close_date__gte=start, close_date__lte=end)
        year = Case(When(in_year, then=True), default=False, output_field=models.BooleanField())
        kind = "is_closed", "is_won", "forecast_category"
        return (
            self.order_by()
            .values(*by, *kind, in_year=year, **expressions)
            .annotate(
                count=Count("pk"),
                known=Count("amount"),
                amount_sum=Sum(THOUSANDTHS),
                **{f"weighted_{step}": Sum(_expected(step)) for step in STEPS},
                first=Min("close_date"),
            )
        )


def parts_inside(branch, *, user, today):
    """
    The Parts of the deals that ``user`` may see of an account and of those below it.

    ``branch`` is the account's. One query.
    """
    of = where(Opportunity, user), inside(branch)
    return map(_part, _by_place(*of, *_fiscal_year(today), default_currency()))


@prepared
def _by_place(visible, accounts, start, end, home):
    deals = Opportunity.objects.live().filter(visible).of_accounts(accounts)
    return deals.by_place(start, end, home)


def _fiscal_year(today):
    """The first and the last day of the fiscal year in which ``today`` is."""
    start_month = Organisation.current().fiscal_year_start_month
    return fiscal.year_start(today, start_month), fiscal.year_end(today, start_month)


def _part(row):
    place = row["account_id"], row["account__path"], row["rate_day"]
    return Part(*place, _totals(row), row["first"] if row["is_won"] else None)


def _expected(step):
    """
    Expected revenue in thousandths, each deal rounded half up to ``step`` thousandths.

    Whole numbers throughout: (n + half) / unit * step, where a unit is 100 % of a step.
    """
    unit = step * 100
    return (THOUSANDTHS * F("probability") + unit // 2) / Value(unit) * step


def _totals(row):
    """The Totals of deals of one kind."""
    count, amount = row["count"], _amount(row["amount_sum"])
    if row["is_won"]:
        of_year = amount if row["in_year"] else Decimal(0)
        numbers = {"won_count": count, "won_amount": amount, "won_amount_year": of_year}
    elif row["is_closed"]:
        numbers = {"lost_count": count}
    else:
        numbers = {"unknown": count - row["known"]}
        if row["forecast_category"] != ForecastCategory.OMITTED:
            weighted = _amount(row[f"weighted_{_step(row['currency'])}"])
            numbers |= {"open_count": count, "open_amount": amount, "weighted": weighted}
    return Totals(row["currency"], **numbers)


def _amount(thousandths):
    return Decimal(thousandths or 0) / 1000


def _step(currency):
    """The smallest amount of a currency in thousandths: 10 for cents."""
    return 10 ** (3 - CURRENCIES[currency].decimals)


class Opportunity(OwnedRecord):
    """A deal: something that may be sold to an account until a certain day."""

    class AmountSource(models.TextChoices):
        MANUAL = "MANUAL", _("Entered by hand")
        LINES = "LINES", _("Sum of the products")

    name = models.CharField(_("name"), max_length=120)
    account = models.ForeignKey(
        Account, models.PROTECT, related_name="opportunities", verbose_name=_("account")
    )
    stage = models.ForeignKey(
        Stage,
        models.PROTECT,
        blank=True,
        related_name="opportunities",
        verbose_name=_("stage"),
    )
    amount = MoneyField(_("amount"), null=True, blank=True)
    amount_source = models.CharField(
        _("amount comes from"),
        max_length=6,
        choices=AmountSource,
        default=AmountSource.MANUAL,
        editable=False,
    )
    currency = CurrencyField(_("currency"), blank=True)
    close_date = models.DateField(_("close date"), blank=True)
    probability = PercentField(_("probability"), blank=True)
    forecast_category = models.CharField(
        _("forecast category"), max_length=9, choices=ForecastCategory, blank=True
    )
    type = ListField(_("type"), list_key="opportunity_type", blank=True)
    lead_source = ListField(_("lead source"), list_key="lead_source", blank=True)
    lead_status = models.CharField(
        _("lead's status at conversion"), max_length=60, blank=True, editable=False
    )
    next_step = models.CharField(_("next step"), max_length=255, blank=True)
    next_step_due = models.DateField(_("next step due"), null=True, blank=True)
    loss_reason = ListField(_("loss reason"), list_key="loss_reason", blank=True)
    loss_note = LongTextField(_("loss note"), limit=2000, blank=True)
    win_reason = ListField(_("win reason"), list_key="win_reason", blank=True)
    main_competitor = models.CharField(_("main competitor"), max_length=100, blank=True)
    is_private = models.BooleanField(_("private"), default=False)
    contract_start = models.DateField(_("contract start"), null=True, blank=True)
    contract_months = models.PositiveSmallIntegerField(_("contract months"), null=True, blank=True)
    delivery_status = ListField(_("delivery status"), list_key="delivery_status", blank=True)
    description = LongTextField(_("description"), limit=32000, blank=True)

    is_closed = models.BooleanField(_("closed"), default=False, editable=False)
    is_won = models.BooleanField(_("won"), default=False, editable=False)
    probability_overridden = models.BooleanField(
        _("probability set by hand"), default=False, editable=False
    )
    category_overridden = models.BooleanField(
        _("forecast category set by hand"), default=False, editable=False
    )
    stage_entered_at = models.DateTimeField(
        _("in this stage since"), default=timezone.now, editable=False
    )
    closed_at = models.DateTimeField(_("closed at"), null=True, editable=False)
    push_count = models.PositiveSmallIntegerField(_("times pushed"), default=0, editable=False)
    original_close_date = models.DateField(_("first close date"), null=True, editable=False)
    original_amount = MoneyField(_("first amount"), null=True, editable=False)

    access = "opportunity"
    named_by = ("name",)
    about = _("A deal is a possible sale with an amount and a date.")
    together = (("amount", "currency"),)
    values_of_rules = {"loss_reason": (OTHER, LOST_TO_COMPETITOR, NOT_RECORDED)}
    search_fields = ("name", "next_step", "main_competitor")
    search_keys = {"name": str}
    hint_links = ("account",)
    derived = {**OwnedRecord.derived, "search_text": search_fields}

    objects = OpportunityQuerySet.as_manager()

    class Meta(OwnedRecord.Meta):
        verbose_name = _("opportunity")
        verbose_name_plural = _("opportunities")
        constraints = [
            *OwnedRecord.Meta.constraints,
            models.CheckConstraint(
                name="opp_name_not_blank",
                condition=~Q(name=""),
                violation_error_code="name",
                violation_error_message=_("Enter a name."),
            ),
            models.CheckConstraint(
                name="opp_probability_range",
                condition=Q(probability__gte=0, probability__lte=100),
                violation_error_code="probability",
                violation_error_message=_("Enter a probability from 0 to 100."),
            ),
            models.CheckConstraint(
                name="opp_amount_gte_0",
                condition=Q(amount=None) | Q(amount__gte=0),
                violation_error_code="amount",
                violation_error_message=_("The amount cannot be negative."),
            ),
            models.CheckConstraint(
                name="opp_won_is_closed",
                condition=Q(is_won=False) | Q(is_closed=True),
                violation_error_code="stage",
                violation_error_message=_("A won deal is closed."),
            ),
            models.CheckConstraint(
                name="opp_won_values",
                condition=Q(is_won=False) | Q(probability=100, forecast_category="CLOSED"),
                violation_error_code="probability",
                violation_error_message=_(
                    "A won deal has the probability 100 and the category Closed."
                ),
            ),
            models.CheckConstraint(
                name="opp_lost_values",
                condition=Q(is_closed=False)
                | Q(is_won=True)
                | (Q(probability=0, forecast_category="OMITTED") & ~Q(loss_reason="")),
                violation_error_code="loss_reason",
                violation_error_message=_("Say why the deal was lost."),
            ),
            models.CheckConstraint(
                name="opp_open_values",
                condition=Q(is_closed=True)
                | (
                    Q(probability__lte=99, closed_at=None, loss_reason="")
                    & ~Q(forecast_category="CLOSED")
                ),
                violation_error_code="probability",
                violation_error_message=_(
                    "An open deal has a probability below 100, no category Closed, no loss reason."
                ),
            ),
            models.CheckConstraint(
                name="opp_closed_at_set",
                condition=Q(is_closed=False) | Q(closed_at__isnull=False),
                violation_error_code="stage",
                violation_error_message=_("A closed deal has the time of its closing."),
            ),
            models.CheckConstraint(
                name="opp_contract_months_range",
                condition=Q(contract_months=None)
                | Q(contract_months__gte=CONTRACT_MONTHS[0], contract_months__lte=240),
                violation_error_code="contract_months",
                violation_error_message=_("Enter 1 to 240 months."),
            ),
            *long_text_constraints("opp", "loss_note", 2000),
            *long_text_constraints("opp", "description", 32000),
            models.UniqueConstraint(
                name="opp_external_uniq",
                fields=["external_source", "external_id"],
                condition=~Q(external_id=""),
                violation_error_code="external_id",
                violation_error_message=_("A deal with this external id exists already."),
            ),
        ]
        indexes = [
            models.Index(
                fields=["owner", "is_closed", "close_date", "id"], name="opp_owner_close_date_idx"
            ),
            models.Index(fields=["account", "is_closed"], name="opp_account_is_closed_idx"),
            models.Index(
                fields=["owner", "is_closed", "is_private", "stage"],
                condition=Q(archived_at=None),
                name="opp_live_idx",
            ),
            models.Index(  # has all that ``by_due`` asks
                fields=[
                    "owner",
                    "forecast_category",
                    "currency",
                    "close_date",
                    "amount",
                    "is_private",
                ],
                condition=Q(archived_at=None, is_closed=False),
                name="opp_open_sums_idx",
            ),
            SearchIndex(
                fields=[
                    "archived_at",
                    "close_date",
                    "id",
                    "owner",
                    "is_private",
                    "is_closed",
                    "search_text",
                ],
                name="opp_text_idx",
            ),
            models.Index(fields=["close_date", "id"], name="opp_close_date_idx"),
            models.Index(fields=["name", "id"], name="opp_name_idx"),
            models.Index(fields=["amount", "id"], name="opp_amount_idx"),
            models.Index(fields=["probability", "id"], name="opp_probability_idx"),
            models.Index(fields=["created_at", "id"], name="opp_created_at_idx"),
        ]

    def __str__(self):
        return self.name

    @property
    def hint(self):
        account = str(self.account)
        return "" if account in self.name else account

    @property
    def mark(self):
        won, lost = _("Won"), _("Lost")
        return super().mark or ("" if not self.is_closed else won if self.is_won else lost)

    def get_absolute_url(self):
        return address_of("opportunities:opportunity_detail", self.pk)

    @property
    def is_lost(self):
        return self.is_closed and not self.is_won

    @property
    def expected_revenue(self):
        return expected_revenue(self.amount, self.probability, self.currency)

    @property
    def slip_days(self):
        """Days between the first and the present close date; negative if it came nearer."""
        return (self.close_date - (self.original_close_date or self.close_date)).days

    def is_overdue(self, *, today):
        return not self.is_closed and self.close_date < today

    def age_days(self, *, today):
        """Days from the creation, here or at the source, to today or the close date."""
        created = timezone.localdate(self.source_created_at or self.created_at)
        return max(((self.close_date if self.is_closed else today) - created).days, 0)

    def days_in_stage(self, *, today):
        return max((today - timezone.localdate(self.stage_entered_at)).days, 0)

    def is_quiet(self, *, today):
        """Whether it is open and has been in its stage for longer than the stage allows."""
        return not self.is_closed and self.days_in_stage(today=today) > self.stage.stale_after_days

    def primary_role(self):
        """The role of the primary contact, or None."""
        return self.roles.primary().select_related("contact").order_by("pk").first()

    def committee(self):
        """The roles of this deal, the primary contact first."""
        return self.roles.select_related("contact").committee_order()

    def committee_gaps(self, roles):
        """
        What the buying committee of an open deal lacks, in words; ``roles`` are its roles.

        Before the fifth stage nobody asks. Rule: docs/rules/opportunities.md.
        """
        if self.is_closed or self.stage.position < GAPS_FROM:
            return []
        gaps = []
        if not any(role.role in DECIDING_ROLES for role in roles):
            gaps.append(_("No decision maker"))
        if not any(role.is_primary for role in roles):
            gaps.append(_("No primary contact"))
        if len(roles) < SMALLEST_COMMITTEE:
            gaps.append(_("Fewer than 2 people"))
        return gaps

    def missing_for(self, stage):
        """The names of the fields that must be filled before the deal enters ``stage``."""
        return [name for name in required_for(stage) if getattr(self, name, None) in BLANK]

    def enter(self, stage, *, at):
        """
        Set the stage and what it decides; saves nothing.

        Probability and forecast category become the stage's, also where they were overridden.
        ``at`` is the time of entering, and of closing if the stage is a closed one.
        """
        self.stage = stage
        self.is_closed, self.is_won = stage.is_closed, stage.is_won
        self.probability = stage.probability
        self.forecast_category = stage.forecast_category
        self.probability_overridden = self.category_overridden = False
        self.stage_entered_at = at
        self.closed_at = at if stage.is_closed else None
        if not stage.is_closed:
            self.loss_reason = self.loss_note = self.win_reason = ""
        elif stage.is_won:
            self.loss_reason = self.loss_note = ""

    def note_overrides(self):
        """Mark probability and forecast category as set by hand where they differ."""
        self.probability_overridden = self.probability != self.stage.probability
        self.category_overridden = self.forecast_category != self.stage.forecast_category

    @classmethod
    def clean_rules(cls, cleaned, errors, context):
        super().clean_rules(cleaned, errors, context)
        _Rules(cleaned, errors, context).check()


BLANK = (None, "", [], {})


def required_for(stage):
    """The fields that ``stage`` and the open ones before it want filled; none for a lost one."""
    if stage.is_lost:
        return []
    passed = [
        other
        for other in Stage.choices()
        if not other.is_closed and other.position <= stage.position
    ]
    names = [name for other in (*passed, stage) for name in other.required_fields]
    return list(dict.fromkeys(names))


class _Rules:
    """The rules over several values of one deal, for forms, API and files alike."""

    def __init__(self, cleaned, errors, context):
        self.cleaned = cleaned
        self.errors = errors
        self.context = context
        instance = context.instance
        self.stored = instance if instance is not None and instance.pk is not None else None

    def check(self):
        if self.stored is None:
            self.fill_new()
        else:
            self.check_blanks()
        stage = self.value("stage")
        if stage is None:
            return
        if self.stored is not None and self.cleaned.get("stage", stage) != self.stored.stage:
            self.check_move(stage)
        self.follow_stage(stage)
        self.check_estimates(stage)
        self.check_reasons(stage)
        self.check_required(stage)
        self.check_close_date(stage)

    def value(self, name):
        """The value as it would be saved."""
        if name in self.cleaned:
            return self.cleaned[name]
        return getattr(self.stored, name) if self.stored is not None else None

    def refuse(self, name, message):
        self.errors.setdefault(name, []).append(message)

    def fill_new(self):
        """Give a new deal what was left open: currency, stage, close date."""
        account = self.cleaned.get("account")
        if not self.cleaned.get("currency") and "currency" not in self.errors:
            self.cleaned["currency"] = account.currency if account else default_currency()
        if self.cleaned.get("stage") is None and "stage" not in self.errors:
            self.cleaned["stage"] = Stage.first_open()
        if self.cleaned.get("close_date") is None and "close_date" not in self.errors:
            self.cleaned["close_date"] = default_close_date(self.context.today)

    def check_blanks(self):
        """What a new deal is given by itself may not be emptied afterwards."""
        for name in ("stage", "close_date"):
            if name in self.cleaned and self.cleaned[name] is None:
                self.refuse(name, _("This field is required."))

    def check_move(self, stage):
        if stage.is_closed != self.stored.is_closed and not self.context.imported:
            message = _("Close or reopen the deal by its own action.")
            self.refuse("stage", message)

    def follow_stage(self, stage):
        """Let what the stage decides follow it, unless a value was given for an open deal."""
        self.cleaned |= {"is_closed": stage.is_closed, "is_won": stage.is_won}
        moved = self.stored is None or stage != self.stored.stage
        if moved:
            self.cleaned.setdefault("stage_entered_at", timezone.now())
        if not stage.is_closed:
            self.cleaned["closed_at"] = None
        elif moved:
            self.cleaned.setdefault("closed_at", self.cleaned["stage_entered_at"])
        for name in ("probability", "forecast_category"):
            given = self.cleaned.get(name)
            unchanged = self.stored is not None and given == getattr(self.stored, name)
            if given in BLANK or (moved and unchanged):
                self.cleaned[name] = getattr(stage, name) if moved else self.value(name)
                if self.cleaned[name] in BLANK:
                    self.cleaned[name] = getattr(stage, name)
            if stage.is_closed and self.cleaned[name] != getattr(stage, name):
                if not self.context.imported:
                    self.refuse(name, _("A closed deal keeps the values of its stage."))
                self.cleaned[name] = getattr(stage, name)

    def check_estimates(self, stage):
        if stage.is_closed:
            return
        probability = self.cleaned["probability"]
        given = not self.context.imported and probability != stage.probability
        if probability > 99 or (given and probability < 1):
            self.refuse("probability", _("Enter a probability from 1 to 99 for an open deal."))
        if self.cleaned["forecast_category"] == ForecastCategory.CLOSED:
            self.refuse("forecast_category", _("Only a won deal has the category Closed."))

    def check_reasons(self, stage):
        """A lost deal says why, an open or won one does not."""
        if not stage.is_lost:
            self.cleaned |= {"loss_reason": "", "loss_note": ""}
            return
        reason = self.value("loss_reason")
        if not reason and self.context.imported:
            self.cleaned["loss_reason"] = reason = NOT_RECORDED
        if not self.context.imported and reason == NOT_RECORDED and not self.keeps("loss_reason"):
            self.refuse("loss_reason", _("“Not recorded” is for imported deals only."))
        refuse_loss(self, reason, self.value("loss_note"), self.value("main_competitor"))

    def keeps(self, name):
        return self.stored is not None and self.value(name) == getattr(self.stored, name)

    def check_required(self, stage):
        if self.stored is not None and stage == self.stored.stage:
            return
        for name in required_for(stage):
            if self.value(name) in BLANK and name not in self.errors:
                message = _("The stage “%(stage)s” needs this.") % {"stage": stage}
                self.refuse(name, message)

    def check_close_date(self, stage):
        close_date = self.cleaned.get("close_date")
        if close_date and close_date != getattr(self.stored, "close_date", None):
            refuse_far_close(self, close_date)
        new = self.stored is None and not self.context.imported
        if new and close_date and not stage.is_closed and close_date < self.context.today:
            self.refuse("close_date", _("A new deal cannot be expected before today."))


def refuse_far_close(rules, close_date):
    """Refuse, by ``rules.refuse(field, message)``, a close date that can only be a slip."""
    if not FIRST_CLOSE <= close_date <= LAST_CLOSE:
        rules.refuse("close_date", _("Enter a close date from 1970 to 2100."))


def refuse_loss(rules, reason, note, competitor):
    """Refuse, by ``rules.refuse(field, message)``, a loss that is not explained."""
    if not reason:
        rules.refuse("loss_reason", _("Say why the deal was lost."))
    if reason == OTHER and not note:
        rules.refuse("loss_note", _("Say in a few words why the deal was lost."))
    if reason == LOST_TO_COMPETITOR and not competitor:
        rules.refuse("main_competitor", _("Name the competitor."))
