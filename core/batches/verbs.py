"""The verbs that can be done to many records, each by the service that its page calls."""

import copy

from django.urls import resolve
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from core import services
from core.addresses import address_of
from core.errors import Conflict, Invalid
from core.forms import AssignForm, VerbForm
from core.journal import Label
from core.models import OwnedRecord
from core.reach import Verb, may, reach_of
from core.tables import column_of


class Nothing(Conflict):
    """There is nothing to do for this record."""


class BatchVerb:
    """
    One thing that can be done to many records.

    ``verb`` is the right that it needs on each of them, ``grant`` the further one of its user.
    ``field`` is what it writes, shown before and after. ``key`` presses its button. ``default``
    is the service that does it to one record, unless the model has its own: ``done_by``.
    """

    name = ""
    label = ""
    icon = ""
    key = ""
    verb = Verb.EDIT
    grant = ""
    field = ""
    form_class = VerbForm
    default = None
    message = gettext_noop("Changed %(count)s records")

    def __init_subclass__(cls):
        cls.own = {}

    def __init__(self, model, *, by):
        self.model = model
        self.by = by
        self.service, form_class = self.own.get(model, (self.default, None))
        self.form_class = form_class or self.form_class

    @classmethod
    def done_by(cls, model, service, *, form_class=None):
        """Let ``service``, called as ``default`` is, do it to records of ``model``."""
        cls.own[model] = service, form_class

    @classmethod
    def is_for(cls, model):
        """Whether records of ``model`` can be treated so."""
        return issubclass(model, OwnedRecord)

    def get_form(self, records, data=None, initial=None):
        """The form of the choices; ``records`` are some of the batch."""
        return self.form_class(data, initial=initial)

    def title(self, count):
        """What is about to be done, in words."""
        raise NotImplementedError(f"{type(self).__name__} must say what it does.")

    def labelled(self, form, count):
        """The Label of the operation."""
        return Label(self.message, count=count)

    def do(self, record, form):
        """
        Do it to one locked record by the service of its page.

        :raises Conflict: there is nothing to do, or the record is not in the state for it
        :raises DomainError: a rule refuses it
        """
        raise NotImplementedError(f"{type(self).__name__} must do something.")

    def value_of(self, record):
        """The value of the field that is written, as people read it."""
        return column_of(self.model, self.field).shown(record) if self.field else ""

    def counted(self, count):
        return {"count": count, "what": self._noun(count)}

    def _noun(self, count):
        names = self.model._meta
        return names.verbose_name if count == 1 else names.verbose_name_plural


VERBS = []


def offered(verb):
    """Offer a BatchVerb in the bar of lists; a class decorator."""
    VERBS.append(verb)
    return verb


def verbs_for(model, user):
    """The BatchVerbs that ``user`` may use on records of ``model``, in the order of the bar."""
    grants = reach_of(user).grants
    for verb in VERBS:
        if verb.is_for(model) and (not verb.grant or verb.grant in grants):
            if may(user, verb.verb, model):
                yield verb(model, by=user)


def verb_named(name, model, user):
    """The BatchVerb of that name that ``user`` may use; None if there is none."""
    return next((verb for verb in verbs_for(model, user) if verb.name == name), None)


def assign(record, form, *, by):
    """Give a record of a batch to the owner that its form says."""
    services.assign(record, owner=form.cleaned_data["owner"], by=by)


@offered
class Assign(BatchVerb):
    """Give records to another owner."""

    name = "assign"
    label = gettext_lazy("Assign")
    icon = "user-share"
    key = "a"
    verb = Verb.ASSIGN
    field = "owner"
    form_class = AssignForm
    default = staticmethod(assign)
    message = gettext_noop("Assigned %(count)s records to %(owner)s")

    def get_form(self, records, data=None, initial=None):
        return self.form_class(data, initial=initial, by=self.by)

    def title(self, count):
        return _("Assign %(count)s %(what)s") % self.counted(count)

    def labelled(self, form, count):
        return Label(self.message, count=count, owner=form.cleaned_data["owner"])

    def do(self, record, form):
        owner = form.cleaned_data["owner"]
        if record.owner_id == owner.pk:
            raise Nothing(_("Belongs to %(owner)s already.") % {"owner": owner})
        self.service(record, form, by=self.by)


def save(record, *, by):
    """Save an edited record of a batch, inside its operation."""
    record.save()


@offered
class Edit(BatchVerb):
    """Write one field of records, by the form of their pages."""

    name = "edit"
    label = gettext_lazy("Edit a field")
    icon = "pencil"
    grant = "bulk_edit"
    default = staticmethod(save)
    message = gettext_noop("Set “%(field)s” of %(count)s records")

    def title(self, count):
        if not self.field:
            return _("Edit a field of %(count)s %(what)s") % self.counted(count)
        values = self.counted(count) | {"field": column_of(self.model, self.field).label}
        return _("Set “%(field)s” of %(count)s %(what)s") % values

    @property
    def record_form(self):
        """The form class behind the page that edits a record."""
        names = self.model._meta
        page = address_of(f"{names.app_label}:{names.model_name}_update", 1)
        return resolve(page).func.view_class.form_class

    def fields(self, records):
        """The fields that can be chosen: (name, label), those of the form in its groups."""
        form = self.record_form(instance=copy.copy(records[0]), by=self.by)
        for heading, bound in form.grouped():
            yield heading, [(f.name, f.label) for f in bound if f.name in form._meta.fields]

    def get_form(self, records, data=None, initial=None):
        """The form of the one field, checked against the records at hand; None without one."""
        self.field = (data or initial or {}).get("field", "")
        if self.field not in self.record_form._meta.fields or not records:
            return None
        forms = [self.form_for(record, data) for record in records]
        if data is not None:
            valid = (form for form in forms if form is not None and form.is_valid())
            return next(valid, forms[0])
        if form := forms[0]:
            for name in form.record_fields():
                form.initial[name] = None
        return form

    def form_for(self, record, data):
        """The form of the field over one record; None where it can't be edited."""
        form = self.record_form(data, instance=copy.copy(record), by=self.by)
        return form if form.narrow(self.field) else None

    def labelled(self, form, count):
        label = column_of(self.model, self.field).label
        return Label(self.message, count=count, field=label)

    def do(self, record, form):
        own = self.form_for(record, form.data)
        if own is None:
            raise Conflict(_("This field can't be changed as things stand."))
        if not own.is_valid():
            texts = [text for errors in own.errors.values() for text in errors]
            raise Invalid(" ".join(map(str, texts)), field=self.field)
        names = [name for name in own.record_fields() if name in own.cleaned_data]
        if all(getattr(record, name) == own.cleaned_data[name] for name in names):
            raise Nothing(_("Has this value already."))
        services.refuse_read_only(record)
        self.service(own.apply_to(copy.copy(record)), by=self.by)


@offered
class Archive(BatchVerb):
    """Put records into the recycle bin."""

    name = "archive"
    label = gettext_lazy("Archive")
    icon = "archive"
    verb = Verb.ARCHIVE
    default = staticmethod(services.archive)
    message = gettext_noop("Archived %(count)s records")

    def title(self, count):
        return _("Archive %(count)s %(what)s") % self.counted(count)

    def do(self, record, form):
        self.service(record, by=self.by)
