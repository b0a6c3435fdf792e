"""
Searching the journal: who did what to which record and when, and the same as a file.

For administrators, who may see every record. Rule: docs/rules/journal.md, section 8.
"""

import csv
import datetime
from zoneinfo import ZoneInfo

from allauth.account.decorators import reauthentication_required
from django import forms
from django.db.models import Exists, OuterRef
from django.http import HttpResponseBadRequest, StreamingHttpResponse
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from core.checks import journalled_models
from core.forms import StyledFormMixin, key_or_none
from core.history import Reader
from core.journal import Change, Kind, Operation
from core.models import Organisation
from core.views.settings import AdministratorMixin, settings_crumbs
from imports.results import neutralised
from users.models import User
from users.security import note

PAGE = 50
CHUNK = 1000
LARGEST = 10**18
HEADER = ("operation", "at", "user", "name", "kind", "record", "number", "verb", "before", "after")


def _kinds_of_records():
    kinds = [(m._meta.label_lower, capfirst(m._meta.verbose_name)) for m in journalled_models()]
    return [("", _("Any")), *sorted(kinds, key=lambda kind: kind[1])]


class AuditForm(StyledFormMixin, forms.Form):
    """What is looked for; all of it has to fit."""

    who = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        label=gettext_lazy("Who"),
        empty_label=gettext_lazy("Anyone"),
    )
    kind = forms.ChoiceField(
        choices=[("", gettext_lazy("Anything")), *Kind.choices],
        required=False,
        label=gettext_lazy("What"),
    )
    since = forms.DateField(required=False, label=gettext_lazy("From"))
    until = forms.DateField(required=False, label=gettext_lazy("To"))
    model = forms.ChoiceField(
        choices=_kinds_of_records, required=False, label=gettext_lazy("Kind of record")
    )
    number = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST,
        label=gettext_lazy("Its number"),
        help_text=gettext_lazy("As it stands in the address of its page."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["who"].queryset = User.objects.order_by("name", "pk")

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("number") and not cleaned.get("model"):
            self.add_error("model", _("A number needs the kind of record."))
        return cleaned

    def operations(self):
        """The operations that fit, in no order."""
        data, found = self.cleaned_data, Operation.objects.all()
        if data["who"]:
            found = found.filter(actor=data["who"])
        if data["kind"]:
            found = found.filter(kind=data["kind"])
        zone = ZoneInfo(Organisation.current().time_zone)
        if data["since"]:
            found = found.filter(at__gte=_start_of(data["since"], zone))
        if data["until"] and data["until"] < datetime.date.max:
            found = found.filter(at__lt=_start_of(data["until"] + datetime.timedelta(1), zone))
        if data["number"]:
            changes = Change.objects.filter(model=data["model"], object_id=data["number"])
            found = found.filter(pk__in=changes.values("operation"))
        elif data["model"]:
            changes = Change.objects.filter(operation=OuterRef("pk"), model=data["model"])
            found = found.filter(Exists(changes))
        return found

    def changes(self):
        """The changes of these operations, of the chosen record only, oldest first."""
        found = Change.objects.filter(operation__in=self.operations())
        if self.cleaned_data["model"]:
            found = found.filter(model=self.cleaned_data["model"])
        if self.cleaned_data["number"]:
            found = found.filter(object_id=self.cleaned_data["number"])
        return found.select_related("operation__actor").order_by("pk")


def _start_of(day, zone):
    return datetime.datetime.combine(day, datetime.time.min, zone)


class AuditView(AdministratorMixin, TemplateView):
    """Everything that was done, newest first, as far as it fits."""

    template_name = "administration/audit.html"

    def get_context_data(self, **kwargs):
        user, title = self.request.user, _("Audit log")
        form = AuditForm(self.request.GET)
        before = key_or_none(self.request.GET.get("before", ""))
        found = []
        if form.is_valid():
            rows = form.operations().select_related("actor").order_by("-pk")
            rows = rows.filter(pk__lt=before) if before is not None else rows
            found = list(rows[: PAGE + 1])
        shown = found[:PAGE]
        reader = Reader(user, shown)
        return {
            "title": title,
            "crumbs": settings_crumbs({"label": title}),
            "form": form,
            "operations": [(operation, reader.label(operation)) for operation in shown],
            "older": shown[-1].pk if len(found) > PAGE else "",
            **super().get_context_data(**kwargs),
        }


@method_decorator(reauthentication_required(app="users", allow_get=True), name="dispatch")
class AuditExportView(AdministratorMixin, TemplateView):
    """The changes that fit as a file, a line each; what spreadsheets would compute is harmless."""

    http_method_names = ("post", "options")

    def post(self, request):
        form = AuditForm(request.POST)
        if not form.is_valid():
            return HttpResponseBadRequest()
        changes = form.changes()
        chosen = ",".join(sorted(name for name, value in form.cleaned_data.items() if value))
        note("export", what="audit", rows=changes.count(), filter=chosen or "-")
        return StreamingHttpResponse(
            lines_of(changes),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
        )


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text):
        return text


def lines_of(changes):
    """The file, line by line."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(HEADER)
    for change in changes.iterator(chunk_size=CHUNK):
        done = change.operation
        who, name = (done.actor_id, done.actor.name) if done.actor else ("", "")
        cells = (
            *(done.pk, done.at.isoformat(), who, name, done.kind),
            *(change.model, change.object_id, change.verb, change.before, change.after),
        )
        yield writer.writerow([neutralised(str(cell)) for cell in cells])
