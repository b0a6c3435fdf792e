"""What all pages share: loading and refusing, the one domain call, answers and actions."""

from dataclasses import dataclass

from django.apps import apps
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst
from django.views.generic import FormView

from core import reach
from core.addresses import address_of
from core.errors import DomainError, NotAllowed
from core.journal import OneTimeKey
from core.models import OwnedRecord
from core.reach import Verb


class SeeOther(HttpResponseRedirect):
    """The answer to a form that was saved: look there."""

    status_code = 303


@dataclass(frozen=True)
class Action:
    """
    Something that the user may do here, as a link or, with ``post``, as a button.

    ``choices`` are the Actions of a menu that opens instead.
    """

    label: str
    url: str
    icon: str = ""
    key: str = ""
    post: bool = False
    reason: str = ""
    wide_only: bool = False
    choices: tuple = ()


def url_of(target, view):
    """The address of ``view`` for a record or, without a key, for its model; "" if it has none."""
    names = f"{target._meta.app_label}:{target._meta.model_name}_{view}"
    try:
        return reverse(names) if isinstance(target, type) else address_of(names, target.pk)
    except NoReverseMatch:
        return ""


def record_models():
    """The models of main records, in the order of the apps."""
    return [model for model in apps.get_models() if issubclass(model, OwnedRecord)]


def record_model(label):
    """The model of main records that a URL names, such as ``accounts.account``; else 404."""
    for model in record_models():
        if model._meta.label_lower == label:
            return model
    raise Http404


def forbid(error):
    """Turn a refusal into the page 403 with its sentence."""
    raise PermissionDenied(error.message) from error


def is_partial(request):
    """Whether htmx asks for a part of the page; going back in the browser asks for all of it."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in headers


class RecordMixin:
    """Load the record that the URL names and ask whether the user may do the view's verb."""

    model = None
    verb = Verb.VIEW

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.record = self.object = self.load(kwargs["pk"])

    def load(self, pk):
        """The record with this key, if the user may see it; else 404."""
        return get_object_or_404(self.get_queryset(), pk=pk)

    def get_queryset(self):
        """The records that this page can be about; archived ones are only looked at."""
        records = self.model.objects.visible_to(self.request.user)
        return records if self.verb == Verb.VIEW else records.live()

    def dispatch(self, request, *args, **kwargs):
        if refusal := self.refuse():
            return refusal
        return super().dispatch(request, *args, **kwargs)

    def refuse(self):
        """Answer what cannot be done to this record by this user; None to go on."""
        try:
            reach.require(self.request.user, self.verb, self.record)
        except NotAllowed as error:
            forbid(error)
        if self.verb != Verb.VIEW and (reason := self.record.why_read_only()):
            messages.warning(self.request, reason)
            return SeeOther(self.record.get_absolute_url())
        return None

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        return {"record": self.record, "crumbs": self.get_crumbs(), **context}

    def get_crumbs(self):
        """The way to this page: the list, the record, and what is done to it."""
        crumbs = [
            {"label": capfirst(self.model._meta.verbose_name_plural), "url": list_url(self.model)},
            {"label": str(self.record), "url": self.record.get_absolute_url()},
        ]
        return crumbs if self.verb == Verb.VIEW else [*crumbs, {"label": self.get_crumb()}]

    def get_crumb(self):
        """What this page does to the record, in a word."""
        return capfirst(Verb(self.verb).label)


def list_url(model):
    return url_of(model, "list") or "/"


class DomainFormMixin:
    """Run one domain call; a refusal becomes a form error with its HTTP status."""

    success_message = ""

    def perform(self, form):
        """Make the one domain call and return the record to look at."""
        raise NotImplementedError(f"{type(self).__name__} must say what it performs.")

    def form_valid(self, form):
        try:
            self.object = self.perform(form)
        except DomainError as error:
            return self.refused(form, error)
        except ObjectDoesNotExist as error:  # hidden or archived between the page and its form
            raise Http404 from error
        return self.performed(form)

    def performed(self, form):
        """Answer what was done: look there, with the message and its Undo."""
        announce(self.request, self.get_success_message(), self.get_operation_id(form))
        return SeeOther(self.get_success_url())

    def get_success_message(self):
        """What was done, said on the next page."""
        return self.success_message % {"object": self.object}

    def get_operation_id(self, form):
        """The key of the operation that the form wrote; None without a one-time key or a change."""
        if (key := getattr(form, "key", None)) is None:
            return None
        rows = OneTimeKey.objects.filter(user=self.request.user, key=key.key)
        return rows.values_list("operation_id", flat=True).first()

    def refused(self, form, error):
        """Answer what the domain refused: another page, or the form with the message."""
        if error.location:
            messages.info(self.request, error.message)
            return SeeOther(error.location)
        errors = getattr(error, "errors", None) or {error.field: [error.message]}
        for name, texts in errors.items():
            for text in texts:
                form.add_error(name if name in form.fields else None, str(text))
        return self.form_invalid(form, status=error.status)

    def form_invalid(self, form, *, status=422):
        return self.render_to_response(self.get_context_data(form=form), status=status)

    def get_success_url(self):
        return where_to_look(self.object, self.request.user)


def announce(request, text, operation_id=None):
    """Say ``text`` on the next page; with what was written, its Undo beside it."""
    undo_url = reverse("core:undo", args=[operation_id]) if operation_id else ""
    messages.success(request, text, extra_tags=undo_url)


class VerbView(RecordMixin, DomainFormMixin, FormView):
    """A page of its own for one verb on one record: declare model, verb, form and perform()."""


def where_to_look(record, user):
    """The record's page; for who may not see what he made, the list or the start page."""
    if reach.can(record, user, Verb.VIEW):
        return record.get_absolute_url()
    return list_url(type(record)) if reach.may(user, Verb.VIEW, type(record)) else "/"


class KeyConverter:
    """The key of a record in a path, ``<key:pk>``; what no key can be matches no path: 404."""

    regex = "[0-9]{1,18}"
    to_python = int
    to_url = str
