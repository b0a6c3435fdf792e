"""The person."""

import datetime
import zoneinfo

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import normalise
from core.addresses import address_of
from core.fields import (
    CountryField,
    E164Field,
    EmailField,
    ListField,
    LongTextField,
    PhoneField,
    StringListField,
    UrlField,
    UrlListField,
    derive_e164,
    long_text_constraints,
)
from core.indexes import SearchIndex
from core.models import Organisation, OwnedRecord, RecordQuerySet
from core.normalise import email_key, person_key
from core.reach import ADDRESS_PARTS

OPT_OUTS = ("email_opt_out", "do_not_call", "fax_opt_out")
EARLIEST_BIRTH = datetime.date(1900, 1, 1)
MAX_REPORTING_STEPS = 20


class PreferredChannel(models.TextChoices):
    EMAIL = "EMAIL", _("E-mail")
    PHONE = "PHONE", _("Phone")
    MOBILE = "MOBILE", _("Mobile")
    MEETING = "MEETING", _("Meeting")
    POST = "POST", _("Post")
    CHAT = "CHAT", _("Chat")


class ContactQuerySet(RecordQuerySet):
    def of(self, account):
        """People with an active relation to ``account``."""
        active = account.relations.active().filter(contact=models.OuterRef("pk"))
        return self.filter(models.Exists(active))

    def without_account(self):
        """People who belong to no account at present."""
        return self.filter(account=None)

    def with_email(self, address):
        """People who have ``address`` as first or second e-mail, however it is written."""
        key = email_key(address)
        return self.filter(Q(email_key=key) | Q(secondary_email_key=key)) if key else self.none()


class Contact(OwnedRecord):
    """A person we know, with one direct account at most and relations to any number."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")
        LEFT_COMPANY = "LEFT_COMPANY", _("Left the company")
        DO_NOT_CONTACT = "DO_NOT_CONTACT", _("Do not contact")
        DECEASED = "DECEASED", _("Deceased")

    class OptOutSource(models.TextChoices):
        UI = "UI", _("Entered by hand")
        LINK = "LINK", _("Opt-out link")
        IMPORT = "IMPORT", _("Import")
        MERGE = "MERGE", _("Merge")
        CONVERSION = "CONVERSION", _("Conversion")

    salutation = ListField(_("salutation"), list_key="salutation", blank=True)
    first_name = models.CharField(_("first name"), max_length=40, blank=True)
    middle_name = models.CharField(_("middle name"), max_length=40, blank=True)
    last_name = models.CharField(_("last name"), max_length=80)
    suffix = models.CharField(_("suffix"), max_length=40, blank=True)
    nickname = models.CharField(_("nickname"), max_length=40, blank=True)
    name_key = models.CharField(max_length=121, blank=True, editable=False)

    account = models.ForeignKey(
        "accounts.Account",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="contacts",
        verbose_name=_("account"),
    )
    title = models.CharField(_("title"), max_length=128, blank=True)
    department = models.CharField(_("department"), max_length=80, blank=True)
    reports_to = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reports",
        verbose_name=_("reports to"),
    )
    level = ListField(_("level"), list_key="contact_level", blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=40, blank=True)
    preferred_channel = models.CharField(
        _("preferred channel"), max_length=7, choices=PreferredChannel, blank=True
    )

    email = EmailField(_("e-mail"), blank=True)
    email_key = models.CharField(max_length=254, blank=True, editable=False)
    secondary_email = EmailField(_("second e-mail"), blank=True)
    secondary_email_key = models.CharField(max_length=254, blank=True, editable=False)
    phone = PhoneField(_("phone"), blank=True)
    phone_e164 = E164Field(source="phone")
    mobile = PhoneField(_("mobile"), blank=True)
    mobile_e164 = E164Field(source="mobile")
    home_phone = PhoneField(_("home phone"), blank=True)
    home_phone_e164 = E164Field(source="home_phone")
    other_phone = PhoneField(_("other phone"), blank=True)
    other_phone_e164 = E164Field(source="other_phone")
    assistant_phone = PhoneField(_("assistant's phone"), blank=True)
    assistant_phone_e164 = E164Field(source="assistant_phone")
    fax = PhoneField(_("fax"), blank=True)
    fax_e164 = E164Field(source="fax")
    assistant_name = models.CharField(_("assistant"), max_length=80, blank=True)
    linkedin_url = UrlField(_("LinkedIn page"), blank=True)
    social_profiles = UrlListField(_("social profiles"), limit=10, blank=True)

    birthdate = models.DateField(_("date of birth"), null=True, blank=True)
    mailing_street = LongTextField(_("mailing street"), limit=255, blank=True)
    mailing_city = models.CharField(_("mailing city"), max_length=80, blank=True)
    mailing_state = models.CharField(_("mailing state or region"), max_length=80, blank=True)
    mailing_postal_code = models.CharField(_("mailing postal code"), max_length=20, blank=True)
    mailing_country = CountryField(_("mailing country"), blank=True)
    other_street = LongTextField(_("other street"), limit=255, blank=True)
    other_city = models.CharField(_("other city"), max_length=80, blank=True)
    other_state = models.CharField(_("other state or region"), max_length=80, blank=True)
    other_postal_code = models.CharField(_("other postal code"), max_length=20, blank=True)
    other_country = CountryField(_("other country"), blank=True)

    lead_source = ListField(_("lead source"), list_key="lead_source", blank=True)
    interests = StringListField(_("interests"), limit=30, blank=True)
    status = models.CharField(_("status"), max_length=14, choices=Status, default=Status.ACTIVE)
    email_opt_out = models.BooleanField(_("no e-mail"), default=False)
    email_opt_out_at = models.DateTimeField(_("no e-mail since"), null=True, editable=False)
    email_opt_out_source = models.CharField(
        _("no e-mail by"), max_length=10, choices=OptOutSource, blank=True, editable=False
    )
    do_not_call = models.BooleanField(_("no calls"), default=False)
    do_not_call_at = models.DateTimeField(_("no calls since"), null=True, editable=False)
    do_not_call_source = models.CharField(
        _("no calls by"), max_length=10, choices=OptOutSource, blank=True, editable=False
    )
    fax_opt_out = models.BooleanField(_("no fax"), default=False)
    fax_opt_out_at = models.DateTimeField(_("no fax since"), null=True, editable=False)
    fax_opt_out_source = models.CharField(
        _("no fax by"), max_length=10, choices=OptOutSource, blank=True, editable=False
    )
    email_bounced_at = models.DateTimeField(_("e-mail bounced"), null=True, editable=False)
    email_bounce_reason = models.CharField(
        _("reason of the bounce"), max_length=255, blank=True, editable=False
    )
    consent_note = LongTextField(_("consent"), limit=1000, blank=True)
    description = LongTextField(_("description"), limit=32000, blank=True)

    access = "contact"
    named_by = ("salutation", "first_name", "middle_name", "last_name", "suffix")
    about = _("A contact is a person worth knowing, at an account.")
    together = (
        *(tuple(f"{use}_{part}" for part in ADDRESS_PARTS) for use in ("mailing", "other")),
        *((name, f"{name}_at", f"{name}_source") for name in OPT_OUTS),
    )
    search_fields = (
        "first_name",
        "middle_name",
        "last_name",
        "nickname",
        "email",
        "secondary_email",
        "phone",
        "mobile",
    )
    hint_links = ("account",)
    search_keys = {
        "name_key": normalise.person_key,
        "email_key": normalise.email_key,
        "secondary_email_key": normalise.email_key,
    }
    derived = {
        **OwnedRecord.derived,
        "search_text": search_fields,
        "name_key": ("first_name", "last_name"),
        "email_key": ("email",),
        "secondary_email_key": ("secondary_email",),
        "phone_e164": ("phone", "mailing_country"),
        "mobile_e164": ("mobile", "mailing_country"),
        "home_phone_e164": ("home_phone", "mailing_country"),
        "other_phone_e164": ("other_phone", "mailing_country"),
        "assistant_phone_e164": ("assistant_phone", "mailing_country"),
        "fax_e164": ("fax", "mailing_country"),
    }

    objects = ContactQuerySet.as_manager()

    class Meta(OwnedRecord.Meta):
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            *OwnedRecord.Meta.constraints,
            models.CheckConstraint(
                name="contact_last_name_not_blank",
                condition=~Q(last_name=""),
                violation_error_code="last_name",
                violation_error_message=_("Enter a last name."),
            ),
            models.CheckConstraint(
                name="contact_not_own_manager",
                condition=Q(reports_to=None) | ~Q(reports_to=F("id")),
                violation_error_code="reports_to",
                violation_error_message=_("Nobody reports to himself."),
            ),
            models.CheckConstraint(
                name="contact_birthdate_range",
                condition=Q(birthdate=None)
                | Q(birthdate__gte=EARLIEST_BIRTH, birthdate__lte=datetime.date(2199, 12, 31)),
                violation_error_code="birthdate",
                violation_error_message=_("Enter a date of birth from 1900 on."),
            ),
            *long_text_constraints("contact", "mailing_street", 255),
            *long_text_constraints("contact", "other_street", 255),
            *long_text_constraints("contact", "consent_note", 1000),
            *long_text_constraints("contact", "description", 32000),
            models.UniqueConstraint(
                name="contact_external_uniq",
                fields=["external_source", "external_id"],
                condition=~Q(external_id=""),
                violation_error_code="external_id",
                violation_error_message=_("A contact with this external id exists already."),
            ),
        ]
        indexes = [
            models.Index(
                fields=["owner", "last_name", "first_name", "id"], name="contact_owner_name_idx"
            ),
            models.Index(fields=["last_name", "id"], name="contact_last_name_idx"),
            models.Index(
                fields=["owner", "status"],
                condition=Q(archived_at=None),
                name="contact_live_idx",
            ),
            models.Index(
                fields=["account"],
                condition=Q(archived_at=None),
                name="contact_live_account_idx",
            ),
            SearchIndex(
                fields=["archived_at", "last_name", "id", "search_text"], name="contact_search_idx"
            ),
            models.Index(fields=["created_at", "id"], name="contact_created_at_idx"),
            models.Index(fields=["name_key"], name="contact_name_key_idx"),
            models.Index(fields=["email_key"], name="contact_email_key_idx"),
            models.Index(fields=["secondary_email_key"], name="contact_second_email_key_idx"),
            models.Index(fields=["phone_e164"], name="contact_phone_e164_idx"),
            models.Index(fields=["mobile_e164"], name="contact_mobile_e164_idx"),
            models.Index(fields=["home_phone_e164"], name="contact_home_phone_e164_idx"),
            models.Index(fields=["other_phone_e164"], name="contact_other_phone_e164_idx"),
            models.Index(fields=["assistant_phone_e164"], name="contact_assist_phone_e164_idx"),
            models.Index(fields=["fax_e164"], name="contact_fax_e164_idx"),
        ]

    def __str__(self):
        return self.full_name

    @property
    def hint(self):
        return ", ".join(filter(None, (self.title, str(self.account or "")))) or self.email

    def get_absolute_url(self):
        return address_of("contacts:contact_detail", self.pk)

    @property
    def full_name(self):
        """Salutation, first, middle and last name and suffix, blanks skipped."""
        parts = (self.salutation, self.first_name, self.middle_name, self.last_name, self.suffix)
        return " ".join(part for part in parts if part)

    @property
    def name_sorted(self):
        """The name as lists sort it: last name first."""
        return ", ".join(part for part in (self.last_name, self.first_name) if part)

    @property
    def can_email(self):
        """Whether the person may be written to; opt-outs, bounces and status all stop it."""
        stopped = self.email_opt_out or self.email_bounced_at or self.status != self.Status.ACTIVE
        return bool(self.email) and not stopped

    @property
    def can_call(self):
        return not self.do_not_call and self.status == self.Status.ACTIVE

    def all_accounts(self):
        """Relations of this person: the direct one, active ones by name, ended ones by date."""
        return self.relations.select_related("account").person_order()

    def direct_relation(self):
        """The relation to the direct account, or None."""
        return self.relations.direct().order_by("pk").first()

    def other_relations(self):
        """Active relations besides the direct one, the oldest first: the next direct ones."""
        return self.relations.active().filter(is_direct=False).oldest_first()

    def reporting_chain(self):
        """The superiors of this person, the nearest first; 20 steps at most."""
        chain, seen, person = [], {self.pk}, self.reports_to
        while person is not None and person.pk not in seen and len(chain) < MAX_REPORTING_STEPS:
            chain.append(person)
            seen.add(person.pk)
            person = person.reports_to
        return chain

    @classmethod
    def clean_rules(cls, cleaned, errors, context):
        super().clean_rules(cleaned, errors, context)
        for field in ("mailing_postal_code", "other_postal_code"):
            if field in cleaned:
                cleaned[field] = cleaned[field].upper()
        birthdate = cleaned.get("birthdate")
        if birthdate and not EARLIEST_BIRTH <= birthdate <= context.today:
            message = _("The date of birth lies between 1900 and today.")
            errors.setdefault("birthdate", []).append(message)
        clean_language(cleaned, errors)
        note_opt_outs(cleaned, context, OPT_OUTS)
        clear_bounce(cleaned, context.instance)
        _clean_superior(cleaned, errors, context.instance)

    @classmethod
    def derive(cls, records):
        super().derive(records)
        derive_e164(records, Organisation.current().default_country)
        for contact in records:
            contact.name_key = person_key(contact.first_name, contact.last_name)
            contact.email_key = email_key(contact.email)
            contact.secondary_email_key = email_key(contact.secondary_email)


def clean_language(cleaned, errors):
    """Check language and time zone of a person: an ISO 639-1 code, an IANA name."""
    if language := cleaned.get("language"):
        cleaned["language"] = language = language.lower()
        if not (len(language) == 2 and language.isascii() and language.isalpha()):
            message = _("Enter a language as two letters, such as “en”.")
            errors.setdefault("language", []).append(message)
    if zone := cleaned.get("time_zone"):
        if zone not in zoneinfo.available_timezones():
            message = _("Enter a time zone such as “Europe/Berlin”.")
            errors.setdefault("time_zone", []).append(message)


def note_opt_outs(cleaned, context, fields):
    """Note when and from where each of the opt-outs ``fields`` was switched on."""
    for field in fields:
        if field not in cleaned:
            continue
        before = bool(context.instance and getattr(context.instance, field))
        if cleaned[field] and not before:
            source = Contact.OptOutSource.IMPORT if context.imported else Contact.OptOutSource.UI
            cleaned.setdefault(f"{field}_at", timezone.now())
            cleaned.setdefault(f"{field}_source", source)
        elif before and not cleaned[field]:
            cleaned |= {f"{field}_at": None, f"{field}_source": ""}


def clear_bounce(cleaned, instance):
    """Forget that mail came back once the address is another one."""
    if instance and instance.email_bounced_at and "email" in cleaned:
        if email_key(cleaned["email"]) != instance.email_key:
            cleaned |= {"email_bounced_at": None, "email_bounce_reason": ""}


def _clean_superior(cleaned, errors, instance):
    """Refuse a superior who reports to this person, or a chain of more than 20 steps."""
    superior = cleaned.get("reports_to")
    if superior is None or instance is None or instance.pk is None:
        return
    if superior.pk == instance.reports_to_id:
        return
    chain = [superior, *superior.reporting_chain()]
    if instance.pk in {person.pk for person in chain}:
        message = _("%(superior)s reports to %(person)s.")
        names = {"superior": superior, "person": instance}
        errors.setdefault("reports_to", []).append(message % names)
    elif len(chain) > MAX_REPORTING_STEPS:
        message = _("A reporting line has 20 steps at most.")
        errors.setdefault("reports_to", []).append(message)
