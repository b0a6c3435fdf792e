"""What all records share: stamps, owner, archive, search text; and the organisation's settings."""

from zoneinfo import ZoneInfo

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import normalise, reach
from core.constraints import constraint_errors
from core.fields import CountryField, CurrencyField, StringListField
from core.journal import Change, OneTimeKey, Operation
from core.once import once
from core.prepared import prepared
from core.reach.loans import Loan
from core.records import Journalled, JournalledQuerySet
from core.search import search
from users.models import language_choices, validate_time_zone

__all__ = [
    "Batch",
    "Change",
    "ExchangeRate",
    "ListValue",
    "OneTimeKey",
    "Operation",
    "Organisation",
    "OwnedRecord",
    "Record",
    "SavedView",
    "Seen",
    "Share",
    "Shared",
]


class RecordQuerySet(JournalledQuerySet):
    """The questions that every table of records answers."""

    def visible_to(self, user, verb="view"):
        """The rows that ``user`` may ``verb``: the only door for reading. core.reach decides."""
        return reach.visible(self, user, verb)

    def live(self):
        """Those that are not in the recycle bin; of a table that has none, all."""
        return self.filter(archived_at=None) if issubclass(self.model, OwnedRecord) else self.all()

    def archived(self):
        """Those in the recycle bin, merged ones left out."""
        return self.filter(archived_at__isnull=False, merged_into=None)

    def search(self, text):
        """Those whose folded search text holds each word of ``text``."""
        return search(self, text)


class Record(Journalled):
    """A row of the business: who made and changed it, its version, its place in the matrix."""

    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("created by"),
    )
    updated_at = models.DateTimeField(_("updated"), default=timezone.now, editable=False)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("updated by"),
    )

    access = None  # its row in core.reach.MATRIX; None: everybody reads, administrators write
    is_shared = False  # its owner decides who else reads it, see Shared
    access_parents = ()  # foreign keys whose records lend a child row its access
    verb_on_parents = reach.Verb.EDIT  # what writing a child row asks of one of them
    values_of_rules = {}  # by field, the values of its list that rules write or ask for

    objects = RecordQuerySet.as_manager()

    class Meta(Journalled.Meta):
        abstract = True

    def can(self, user, verb):
        """Whether ``user`` may ``verb`` this record now."""
        return reach.can(self, user, verb)

    def why_read_only(self):
        """Why nobody may change this record now, in words; "" if it can be changed."""
        return ""

    @classmethod
    def clean_values(cls, values, context):
        """
        Clean values on their way in, for forms, API and files alike.

        Returns the cleaned values and the errors by field; reads and writes no table.
        """
        cleaned, errors = normalise.clean_fields(cls, values, context)
        cls.clean_rules(cleaned, errors, context)
        return cleaned, errors

    @classmethod
    def clean_rules(cls, cleaned, errors, context):
        """Rules over several values of one record; adds messages to ``errors``."""

    def validate_constraints(self, exclude=None):
        """
        Ask the database all check constraints of the record in one statement.

        A number that its column can't hold has its message already and can't be asked about.

        :raises ValidationError: by field, over all fields, on the form or not
        """
        if not self._fits():
            return
        (errors,) = constraint_errors([self])
        if errors:
            raise ValidationError(errors)

    def _fits(self):
        """Whether the columns can hold the record's whole numbers."""
        ranges = connection.ops.integer_field_range
        for field in self._meta.concrete_fields:
            value = self.__dict__.get(field.attname)
            if isinstance(field, models.IntegerField) and isinstance(value, int):
                least, most = ranges(field.get_internal_type())
                if (least is not None and value < least) or (most is not None and value > most):
                    return False
        return True


class Share(Record):
    """
    That a user, or the people of a team, may see or edit one record of somebody else.

    ``record`` is the foreign key of each table of shares. The last day of ``until`` counts.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    team = models.ForeignKey(
        "users.Team",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("team"),
    )
    level = models.PositiveSmallIntegerField(
        _("access"), choices=reach.Access, default=reach.Access.READ
    )
    until = models.DateField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=255, blank=True)

    access_parents = ("record",)
    verb_on_parents = reach.Verb.SHARE
    heading = _("Shared with")  # of a list of them
    opens_private = False  # whether it gives access to a record that is marked as private

    class Meta(Record.Meta):
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_one_grantee",
                condition=Q(user__isnull=True, team__isnull=False)
                | Q(user__isnull=False, team__isnull=True),
                violation_error_code="user",
                violation_error_message=_("Share with a person or with a team."),
            ),
            models.CheckConstraint(
                name="%(class)s_level_known",
                condition=Q(level__in=reach.Access.values),
                violation_error_code="level",
                violation_error_message=_("Choose what is shared."),
            ),
            models.UniqueConstraint(
                name="%(class)s_user_once",
                fields=["record", "user"],
                violation_error_code="user",
                violation_error_message=_("It is shared with this person already."),
            ),
            models.UniqueConstraint(
                name="%(class)s_team_once",
                fields=["record", "team"],
                violation_error_code="team",
                violation_error_message=_("It is shared with this team already."),
            ),
        ]

    def __str__(self):
        return f"{self.record} – {self.grantee}"

    def get_absolute_url(self):
        return self.record.get_absolute_url()

    @property
    def grantee(self):
        """The user or the team that it is shared with."""
        return self.user or self.team

    def has_ended(self, today):
        """Whether its last day is over."""
        return self.until is not None and self.until < today

    @classmethod
    def loans(cls, asker):
        """What is shared with somebody, with his team, or with a team that he manages."""
        mine = Q(user=asker.user) | Q(team=asker.team) | Q(team__manager=asker.user)
        rows = cls.objects.filter(mine, Q(until=None) | Q(until__gte=asker.today))
        label = cls._meta.get_field("record").related_model._meta.label
        opens = cls.opens_private
        return [Loan(label, rows, key="record_id", access=F("level"), opens_private=opens)]


class OwnedRecord(Record):
    """A main record: somebody owns it, it can be archived, found, imported, merged."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("owner")
    )
    archived_at = models.DateTimeField(_("archived"), null=True, editable=False)
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="merged",
        verbose_name=_("merged into"),
    )
    custom = models.JSONField(_("own fields"), default=dict, editable=False)
    search_text = models.TextField(editable=False, default="")
    source_created_at = models.DateTimeField(_("created at the source"), null=True, editable=False)
    external_source = models.CharField(
        _("external source"), max_length=40, blank=True, editable=False
    )
    external_id = models.CharField(_("external id"), max_length=100, blank=True, editable=False)

    about = ""  # what such a record is, in a sentence for who sees one for the first time
    search_fields = ()  # what people look for; also the source of search_text
    search_keys = {}  # indexed fields that a typed text may name in full: {field: key of a text}
    hint_links = ()  # the links that ``hint`` names
    derived = {}

    class Meta(Record.Meta):
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_merged_is_archived",
                condition=Q(merged_into=None) | Q(archived_at__isnull=False),
                violation_error_message=_("A merged record is archived."),
            ),
            models.CheckConstraint(
                name="%(class)s_not_merged_into_itself",
                condition=Q(merged_into=None) | ~Q(merged_into=F("id")),
                violation_error_message=_("A record can't be merged into itself."),
            ),
        ]

    @property
    def is_archived(self):
        return self.archived_at is not None

    @property
    def hint(self):
        """What tells the record from others of its name, in a word or two; no query."""
        return ""

    @property
    def mark(self):
        """What must be known before the record is opened, in a word: Archived."""
        return _("Archived") if self.is_archived else ""

    def give_to(self, owner):
        """Set the owner and what goes with it; saves nothing, returns the names of the fields."""
        self.owner = owner
        return ["owner"]

    @classmethod
    def derive(cls, records):
        super().derive(records)
        for record in records:
            values = (getattr(record, name) for name in cls.search_fields)
            record.search_text = normalise.search_text(values)


class Reaches(models.IntegerChoices):
    """How far a right reaches at most, whatever the role allows: a Scope of core.reach."""

    PRIVATE = reach.Scope.OWN, _("Their owner and who stands above")
    TEAM = reach.Scope.TEAM, _("The owner’s team as well")
    EVERYONE = reach.Scope.ALL, _("Everybody whose role allows it")


def _default(label, value):
    return models.PositiveSmallIntegerField(label, choices=Reaches, default=value)


class Organisation(Record):
    """The organisation's settings, one row. Days and fiscal periods are those of its zone."""

    name = models.CharField(_("name"), max_length=120, default="Topsail")
    default_country = CountryField(_("country"), default="US")
    default_currency = CurrencyField(_("currency"), default="USD")
    time_zone = models.CharField(
        _("time zone"), max_length=60, default="UTC", validators=[validate_time_zone]
    )
    language = models.CharField(
        _("language"), max_length=8, default="en-gb", choices=language_choices
    )
    fiscal_year_start_month = models.PositiveSmallIntegerField(
        _("first month of the fiscal year"), default=1
    )

    class NamedBy(models.TextChoices):
        ENDING = "ENDING", _("the year in which it ends")
        STARTING = "STARTING", _("the year in which it starts")

    fiscal_year_named_by = models.CharField(
        _("fiscal year named by"), max_length=8, choices=NamedBy, default=NamedBy.ENDING
    )
    free_mail_domains = StringListField(_("free mail domains"), limit=1000, blank=True)
    role_mailboxes = StringListField(_("shared mailboxes"), limit=200, blank=True)
    stale_days = models.PositiveSmallIntegerField(_("days until stale"), default=30)
    sdr_handover_hours = models.PositiveSmallIntegerField(_("hours to hand over"), default=24)
    nurture_recheck_days = models.PositiveSmallIntegerField(
        _("days until a nurtured lead is looked at again"), default=90
    )
    default_lead_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner of leads that no rule fits"),
    )
    routes_to_account_owner = models.BooleanField(
        _("leads of a known account go to its owner"), default=False
    )
    account_read = _default(_("accounts are seen by"), Reaches.EVERYONE)
    account_edit = _default(_("accounts are edited by"), Reaches.TEAM)
    contact_read = _default(_("contacts are seen by"), Reaches.EVERYONE)
    contact_edit = _default(_("contacts are edited by"), Reaches.TEAM)
    lead_read = _default(_("leads are seen by"), Reaches.TEAM)
    lead_edit = _default(_("leads are edited by"), Reaches.TEAM)
    opportunity_read = _default(_("opportunities are seen by"), Reaches.TEAM)
    opportunity_edit = _default(_("opportunities are edited by"), Reaches.PRIVATE)
    admins_need_second_step = models.BooleanField(
        _("administrators need a second step to sign in"), default=False
    )

    class Meta(Record.Meta):
        verbose_name = _("organisation")
        verbose_name_plural = _("organisation")
        constraints = [
            models.CheckConstraint(
                name="organisation_one_row",
                condition=Q(pk=1),
                violation_error_message=_("There is one row of settings."),
            ),
            models.CheckConstraint(
                name="organisation_fiscal_month",
                condition=Q(fiscal_year_start_month__range=(1, 12)),
                violation_error_code="fiscal_year_start_month",
                violation_error_message=_("Enter a month from 1 to 12."),
            ),
            *(
                models.CheckConstraint(
                    name=f"organisation_{access}_reach",
                    condition=Q(
                        **{
                            f"{access}_read__in": Reaches.values,
                            f"{access}_edit__in": Reaches.values,
                            f"{access}_edit__lte": F(f"{access}_read"),
                        }
                    ),
                    violation_error_code=f"{access}_edit",
                    violation_error_message=_("Nobody can edit what he can't see."),
                )
                for access in ("account", "contact", "lead", "opportunity")
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("core:organisation_update")

    @classmethod
    def clean_rules(cls, cleaned, errors, context):
        super().clean_rules(cleaned, errors, context)
        for name in ("free_mail_domains", "role_mailboxes"):
            if name in cleaned:
                cleaned[name] = [text.lower().removeprefix("@") for text in cleaned[name]]
                wrong = [text for text in cleaned[name] if "@" in text or " " in text]
                if wrong:
                    message = _("“%(text)s” is not a part of an address.") % {"text": wrong[0]}
                    errors.setdefault(name, []).append(message)

    @classmethod
    def current(cls):
        """The settings, read once a request; the defaults while the row is not there yet."""
        return once("organisation", lambda: next(iter(_organisations(1)), None) or cls(pk=1))

    def today(self):
        """The present date in the organisation's zone: the day that rules and reports mean."""
        return timezone.localdate(timezone=ZoneInfo(self.time_zone))


@prepared
def _organisations(key):
    return Organisation.objects.filter(pk=key)


class ListValueQuerySet(RecordQuerySet):
    def of(self, list_key):
        return self.filter(list_key=list_key).order_by("position", "pk")


class ListValue(Record):
    """A value of an editable list: the stored text, its label, other spellings."""

    list_key = models.CharField(_("list"), max_length=40)
    value = models.CharField(_("value"), max_length=60)
    label = models.CharField(_("label"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    aliases = StringListField(_("other spellings"), blank=True)
    is_default = models.BooleanField(_("preset"), default=False)
    is_active = models.BooleanField(_("can be chosen"), default=True)

    objects = ListValueQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = _("list value")
        verbose_name_plural = _("list values")
        constraints = [
            models.UniqueConstraint(
                name="listvalue_value_once",
                fields=["list_key", "value"],
                violation_error_code="value",
                violation_error_message=_("The list has this value already."),
            ),
            models.UniqueConstraint(
                name="listvalue_one_default",
                fields=["list_key"],
                condition=Q(is_default=True),
                violation_error_code="is_default",
                violation_error_message=_("The list has a preset value already."),
            ),
        ]

    def __str__(self):
        return self.label

    def get_absolute_url(self):
        return reverse("core:listvalue_update", args=[self.list_key, self.pk])

    @classmethod
    def everything(cls):
        """All lists, one query a request: {list key: [values by position]}."""

        def load():
            lists = {}
            for row in cls.objects.order_by("list_key", "position", "pk"):
                lists.setdefault(row.list_key, []).append(row)
            return lists

        return once("lists", load)

    @classmethod
    def values(cls, list_key):
        """The values of one list by position, retired ones included."""
        return cls.everything().get(list_key, [])

    @classmethod
    def preset(cls, list_key):
        """The value that new records begin with; None if the list has none."""
        return next((v for v in cls.values(list_key) if v.is_default and v.is_active), None)


class ExchangeRate(Record):
    """Units of a currency for one unit of the default currency, from a day on."""

    currency = CurrencyField(_("currency"))
    valid_from = models.DateField(_("valid from"))
    rate = models.DecimalField(_("rate"), max_digits=15, decimal_places=8)

    class Meta(Record.Meta):
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        constraints = [
            models.UniqueConstraint(
                name="exchangerate_once",
                fields=["currency", "valid_from"],
                violation_error_code="valid_from",
                violation_error_message=_("There is a rate for this currency and day already."),
            ),
            models.CheckConstraint(
                name="exchangerate_above_0",
                condition=Q(rate__gt=0),
                violation_error_code="rate",
                violation_error_message=_("Enter a rate above 0."),
            ),
        ]

    def __str__(self):
        return f"{self.currency} {self.valid_from}"

    def get_absolute_url(self):
        return reverse("core:exchangerate_update", args=[self.pk])


class SharedQuerySet(RecordQuerySet):
    def offered_to(self, user):
        """The user's own and those whose audience he is; what else an administrator may see."""
        return self.filter(reach.audience(reach.reach_of(user)))


class Shared(Record):
    """What somebody made for himself and may share: its audience reads it, its owner changes it."""

    class Audience(models.TextChoices):
        ME = "ME", _("Only me")
        TEAM = "TEAM", _("My team")
        EVERYONE = "EVERYONE", _("Everyone")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("owner")
    )
    audience = models.CharField(
        _("who can use it"), max_length=8, choices=Audience, default=Audience.ME
    )

    is_shared = True

    objects = SharedQuerySet.as_manager()

    class Meta(Record.Meta):
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_audience_known",
                condition=Q(audience__in=["ME", "TEAM", "EVERYONE"]),
                violation_error_code="audience",
                violation_error_message=_("Choose who can use it."),
            ),
        ]


class SavedView(Shared):
    """
    A list as somebody wants it: what is asked, which columns, in which order.

    ``model`` is the label of the records' model, ``filter`` a document of core.filtering, which
    is checked each time that it is asked. Rule: docs/rules/filters.md.
    """

    model = models.CharField(_("list"), max_length=60, editable=False)
    name = models.CharField(_("name"), max_length=80)
    filter = models.JSONField(_("filter"), default=dict, editable=False)
    columns = models.JSONField(_("columns"), default=list, editable=False)
    sort = models.CharField(_("order"), max_length=60, blank=True, editable=False)
    is_pinned = models.BooleanField(
        _("pinned"), default=False, help_text=_("Stands in the navigation, with its count.")
    )

    class Meta(Shared.Meta):
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            *Shared.Meta.constraints,
            models.UniqueConstraint(
                name="savedview_name_once",
                fields=["owner", "model", "name"],
                violation_error_code="name",
                violation_error_message=_("You have a view of this name already."),
            ),
            models.CheckConstraint(
                name="savedview_has_name",
                condition=~Q(name=""),
                violation_error_code="name",
                violation_error_message=_("Enter a name."),
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        meta = self.model_class._meta
        return reverse(f"{meta.app_label}:{meta.model_name}_list") + f"?view={self.pk}"

    @property
    def model_class(self):
        """The model whose records it lists."""
        return apps.get_model(self.model)


class Batch(models.Model):
    """
    Records that were chosen for one verb, and what became of each.

    Outside the journal, which keeps what was done; swept after a week.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    model = models.CharField(max_length=60)
    keys = models.JSONField()
    verb = models.CharField(max_length=20)
    data = models.TextField(blank=True)  # the choices, as they were sent
    outcomes = models.JSONField(default=list)  # [key, what became of it, why]
    operation = models.ForeignKey(Operation, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="batch_done_after_its_start",
                condition=Q(done_at=None) | Q(started_at__lte=F("done_at")),
            ),
        ]

    def __str__(self):
        return f"{len(self.keys)} × {self.model}"

    def get_absolute_url(self):
        return reverse("core:batch", args=[self.pk])


class Seen(models.Model):
    """What a user has looked at, and when; outside the journal, written by a POST of the page."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    model = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="seen_once", fields=["user", "model", "object_id"]),
        ]

    def __str__(self):
        return f"{self.model} {self.object_id}"
