import zoneinfo

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from core.errors import Conflict
from core.records import Journalled, JournalledQuerySet, lock_tree

TEAM_LEVELS = 6


class WouldMakeCycle(Conflict):
    """The chosen parent or manager stands below the one that it would stand above."""


class TooDeep(Conflict):
    """The teams would stand in more levels than allowed."""


class LastAdministrator(Conflict):
    """Nobody would be left who can administer the organisation."""


class Role(models.TextChoices):
    """What a user is here to do; ``core.reach`` says what each may see and change."""

    ADMIN = "ADMIN", _("Administrator")
    MANAGER = "MANAGER", _("Manager")
    REP = "REP", _("Sales representative")
    SDR = "SDR", _("Sales development")
    MARKETING = "MARKETING", _("Marketing")
    SUPPORT = "SUPPORT", _("Support")
    READ_ONLY = "READ_ONLY", _("Read only")


class Grant(models.TextChoices):
    """What a user may be given beyond the role; ``core.reach`` says which roles have which."""

    EXPORT = "export", _("Export")
    IMPORT = "import", _("Import files")
    MERGE = "merge", _("Merge duplicates")
    BULK_EDIT = "bulk_edit", _("Edit many records at once")
    SEE_ALL_AMOUNTS = "see_all_amounts", _("See all amounts")
    MANAGE_FIELDS = "manage_fields", _("Manage fields, lists and stages")
    MANAGE_RULES = "manage_rules", _("Manage rules")
    API = "api", _("Use the API")


class Theme(models.TextChoices):
    """Written as the pages' ``data-theme`` has it."""

    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


def language_choices():
    return settings.LANGUAGES


def validate_time_zone(value):
    if value not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(zone)s” is not a time zone."), params={"zone": value})


class LoginField(models.EmailField):
    """An e-mail address as a login: the same whatever its case, so it is kept in lower case."""

    def to_python(self, value):
        value = super().to_python(value)
        return value if value is None else value.strip().lower()

    def get_prep_value(self, value):
        return self.to_python(super().get_prep_value(value))


class TeamQuerySet(JournalledQuerySet):
    def below(self, manager):
        """The keys of the teams that ``manager`` manages, and of those below them; one query."""
        rows = list(self.values_list("pk", "parent_id", "manager_id"))
        parents = {pk: parent for pk, parent, _manager in rows}
        managed = {pk for pk, _parent, manager_id in rows if manager_id == manager.pk}
        return {pk for pk in parents if managed & set(_chain(pk, parents))}


class Team(Journalled):
    """People who work together under one manager; teams stand in a tree."""

    name = models.CharField(_("name"), max_length=80)
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        verbose_name=_("part of"),
        null=True,
        blank=True,
        related_name="parts",
    )
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name=_("manager"),
        null=True,
        blank=True,
        related_name="managed_teams",
    )

    objects = TeamQuerySet.as_manager()

    class Meta(Journalled.Meta):
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [
            models.UniqueConstraint(
                name="team_name_once",
                fields=["name"],
                violation_error_message=_("There is a team of this name already."),
            ),
            models.CheckConstraint(
                name="team_not_own_parent",
                condition=~Q(parent=F("id")),
                violation_error_code="parent",
                violation_error_message=_("A team can't be a part of itself."),
            ),
        ]

    def __str__(self):
        return self.name

    def clean(self):
        super().clean()
        try:
            self.check_parent()
        except Conflict as error:
            raise ValidationError({"parent": error.message}) from error

    def check_parent(self):
        """
        Refuse a parent that stands below the team, or a tree of more than six levels.

        Takes the lock of the trees: inside an operation nobody else moves a team before it ends.

        :raises WouldMakeCycle: if the parent is the team itself or below it
        :raises TooDeep: if the team's lowest part would stand on the seventh level
        """
        lock_tree()
        parents = dict(Team.objects.values_list("pk", "parent_id"))
        above = _chain(self.parent_id, parents)
        if self.pk is not None and self.pk in above:
            raise WouldMakeCycle(_("The team can't be a part of its own parts."), field="parent")
        if len(above) + _height(self.pk, parents) > TEAM_LEVELS:
            message = _("Teams may stand in %(levels)d levels at most.") % {"levels": TEAM_LEVELS}
            raise TooDeep(message, field="parent")

    def move_below(self, parent):
        """Make the team a part of ``parent``, None for a team of its own; inside an operation."""
        self.parent = parent
        self.check_parent()
        self.save(update_fields=["parent"])


class UserQuerySet(JournalledQuerySet):
    def active(self):
        return self.filter(is_active=True)

    def admins(self):
        return self.active().filter(role=Role.ADMIN)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    use_in_migrations = False

    def create_user(self, email, password=None, **fields):
        """Create a user who logs in with ``email``; without a password, a reset gives one."""
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email, password=None, **fields):
        """Create an administrator; the first one of an installation comes this way."""
        return self.create_user(email, password, role=Role.ADMIN, **fields)


class User(Journalled, AbstractBaseUser):
    """A person who logs in. Never deleted: ``is_active`` ends the log-in, the name stays."""

    email = LoginField(_("e-mail"))
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=12, choices=Role)
    team = models.ForeignKey(
        Team,
        models.PROTECT,
        verbose_name=_("team"),
        null=True,
        blank=True,
        related_name="members",
    )
    manager = models.ForeignKey(
        "self",
        models.PROTECT,
        verbose_name=_("manager"),
        null=True,
        blank=True,
        related_name="reports",
    )
    grants = models.JSONField(
        _("grants"),
        default=list,
        blank=True,
        help_text=_("What this person may do beyond the role."),
    )
    time_zone = models.CharField(
        _("time zone"), max_length=63, default="UTC", validators=[validate_time_zone]
    )
    locale = models.CharField(
        _("language"),
        max_length=10,
        choices=language_choices,
        blank=True,
        help_text=_("Without one, the browser's language."),
    )
    theme = models.CharField(
        _("theme"),
        max_length=5,
        choices=Theme,
        blank=True,
        help_text=_("Without one, the device decides."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    out_of_office_until = models.DateField(_("out of office until"), null=True, blank=True)
    uses_single_keys = models.BooleanField(
        _("single keys"),
        default=True,
        help_text=_("Letters pressed alone, such as E for Edit. Ctrl K works in any case."),
    )
    shows_first_steps = models.BooleanField(_("shows first steps"), default=True, editable=False)

    plain_fields = ("password", "last_login")
    named_by = ("name",)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta(Journalled.Meta):
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(
                name="user_email_once",
                fields=["email"],
                violation_error_message=_("There is a user with this e-mail address already."),
            ),
            models.CheckConstraint(
                name="user_email_lower_case",
                condition=Q(email=Lower("email")),
                violation_error_code="email",
                violation_error_message=_("An e-mail address for the log-in is in lower case."),
            ),
            models.CheckConstraint(
                name="user_role_known",
                condition=Q(role__in=Role.values),
                violation_error_code="role",
                violation_error_message=_("Choose one of the roles."),
            ),
            models.CheckConstraint(
                name="user_not_own_manager",
                condition=~Q(manager=F("id")),
                violation_error_code="manager",
                violation_error_message=_("Nobody is their own manager."),
            ),
        ]

    def __str__(self):
        return self.name

    def _get_session_auth_hash(self, secret=None):
        """With another password, role or grant all sessions end; Django asks at each request."""
        key = super()._get_session_auth_hash(secret=secret)
        rights = " ".join([key, self.role, *sorted(self.grants)])
        return salted_hmac("users.User.rights", rights, algorithm="sha256").hexdigest()

    def get_full_name(self):
        return self.name

    def get_short_name(self):
        return self.name.split()[0] if self.name.strip() else self.email

    def is_away(self, *, today):
        """Whether the user is out of office on the day ``today`` of the organisation."""
        return self.out_of_office_until is not None and today <= self.out_of_office_until

    @property
    def is_staff(self):
        return self.is_active and self.role == Role.ADMIN

    @property
    def is_superuser(self):
        return self.is_staff

    def has_perm(self, perm, obj=None):
        """Answer Django admin, the only place that asks: everything for an administrator."""
        return self.is_staff

    def has_perms(self, perm_list, obj=None):
        return self.is_staff

    def has_module_perms(self, app_label):
        return self.is_staff

    def clean(self):
        super().clean()
        if not isinstance(self.grants, list) or not set(self.grants) <= set(Grant.values):
            raise ValidationError({"grants": _("Choose of the grants that there are.")})
        self.grants = sorted(set(self.grants))
        try:
            self.check_manager()
        except Conflict as error:
            raise ValidationError({"manager": error.message}) from error
        try:
            self.check_last_admin()
        except LastAdministrator as error:
            raise ValidationError({"role": error.message}) from error

    def reports_to(self, other):
        """Whether the chain of managers above the user leads to ``other``; one query."""
        managers = dict(User.objects.values_list("pk", "manager_id"))
        return other.pk in _chain(self.manager_id, managers)

    def check_manager(self):
        """
        Refuse a manager who reports to this user; takes the lock of the trees.

        :raises WouldMakeCycle: if the user stands above the chosen manager
        """
        lock_tree()
        managers = dict(User.objects.values_list("pk", "manager_id"))
        if self.pk is not None and self.pk in _chain(self.manager_id, managers):
            raise WouldMakeCycle(_("This manager reports to the user."), field="manager")

    def check_last_admin(self):
        """
        Refuse what leaves no active administrator; takes the lock of the trees.

        So two administrators can't demote each other at once. Rule: docs/rules/settings.md.

        :raises LastAdministrator: this is the last one
        """
        if self.pk is None or (self.is_active and self.role == Role.ADMIN):
            return
        lock_tree()
        if set(User.objects.admins().values_list("pk", flat=True)) == {self.pk}:
            message = _("%(user)s is the last active administrator. Make somebody else one first.")
            raise LastAdministrator(message % {"user": self}, field="role")


class Session(AbstractBaseSession):
    """Somebody who is logged in on one device; outside the journal, as it is no business."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    address = models.CharField(max_length=45, blank=True)
    device = models.CharField(max_length=40, blank=True)

    @classmethod
    def get_session_store_class(cls):
        return import_string(f"{settings.SESSION_ENGINE}.SessionStore")

    def __str__(self):
        return self.device or self.address

    @property
    def handle(self):
        """What a page calls the session; its key would be as good as the log-in."""
        return salted_hmac("users.Session", self.session_key, algorithm="sha256").hexdigest()[:32]


class Attempt(models.Model):
    """One try of something that is counted, such as a password; kept a quarter of an hour."""

    subject = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject", "at"], name="attempt_subject_idx")]

    def __str__(self):
        return self.subject


class EmailChange(models.Model):
    """Another address that somebody asked for and that is not yet confirmed on both sides."""

    user = models.OneToOneField(User, models.CASCADE, related_name="email_change")
    email = LoginField()
    asked_at = models.DateTimeField()
    is_confirmed_old = models.BooleanField(default=False)
    is_confirmed_new = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("change of an e-mail address")
        verbose_name_plural = _("changes of e-mail addresses")

    def __str__(self):
        return self.email


def _chain(key, above):
    """The keys from ``key`` upwards; ends where it would begin to repeat itself."""
    seen = []
    while key is not None and key not in seen:
        seen.append(key)
        key = above.get(key)
    return seen


def _height(key, parents):
    """How many levels the team and its parts take; 1 for a team without parts."""
    parts = [part for part, parent in parents.items() if parent == key and key is not None]
    return 1 + max((_height(part, parents) for part in parts), default=0)
