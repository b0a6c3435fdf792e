"""Finding records over all kinds, and the options of a picker."""

import re
from collections import Counter

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View

from core import reach
from core.forms import best_matches, key_or_none, option_of
from core.reach import Verb
from core.search import MAX_LENGTH, marked, ranked, reason, words_of
from core.seen import RECENT, recent_records, see
from core.views.base import is_partial, list_url, record_model, record_models

HITS = 8
NAME = re.compile(r"[a-z][a-z0-9_-]{0,60}", re.ASCII)


class SearchView(TemplateView):
    """
    One box over all records that the user may see: by name, company, e-mail, phone, number.

    Without a text it shows the records that the user looked at last. It is a page of its own;
    htmx asks it for the hits alone, as a list or, with ``as=options``, for the palette.
    Rule: docs/rules/search.md.
    """

    template_name = "core/search.html"

    @property
    def is_palette(self):
        return is_partial(self.request) and self.request.GET.get("as") == "options"

    def get_template_names(self):
        if not is_partial(self.request):
            return super().get_template_names()
        return ["core/_palette_hits.html" if self.is_palette else "core/_hits.html"]

    def render_to_response(self, context, **kwargs):
        response = super().render_to_response(context, **kwargs)
        patch_vary_headers(response, ["HX-Request"])
        return response

    def get_context_data(self, **kwargs):
        text = self.request.GET.get("q", "")[:MAX_LENGTH].strip()
        found = self._found(text) if text and words_of(text) else []
        shown = best_of_all(found) if self.is_palette else found
        return {
            "q": text,
            "crumbs": [{"label": _("Search")}],
            "groups": [group_of(model, records, text) for model, records in shown],
            "all": f"{reverse('core:search')}?{urlencode({'q': text})}" if shown != found else "",
            "recent": [] if text else hits(self._recent(), text),
            "is_asked": bool(text),
            **super().get_context_data(**kwargs),
        }

    def _found(self, text):
        """The kinds of records with what was found of them, that with the best match first."""
        found = []
        for model in record_models():
            if reach.may(self.request.user, Verb.VIEW, model):
                rows = model.objects.live().visible_to(self.request.user)
                if records := ranked(rows, text, limit=HITS + 1):
                    found.append((model, records))
        return sorted(found, key=lambda group: group[1][0].rank)

    def _recent(self):
        """What was looked at last, without the record on whose page the palette opens."""
        here = self.request.headers.get("HX-Current-URL", "").partition("?")[0]
        records = recent_records(self.request.user, limit=RECENT + 1)
        return [r for r in records if not here.endswith(r.get_absolute_url())][:RECENT]


def best_of_all(found):
    """Of what was found the best few over all kinds; of equal ones some of each kind."""
    places = [
        (record.rank, place, number)
        for number, (_model, records) in enumerate(found)
        for place, record in enumerate(records)
    ]
    counts = Counter(number for _rank, _place, number in sorted(places)[:HITS])
    groups = [(model, records[: counts[number]]) for number, (model, records) in enumerate(found)]
    return [(model, records) for model, records in groups if records]


def group_of(model, records, text):
    """One kind of records as a search shows it, and the list in which all of them are."""
    query = urlencode({"q": text, "view": "all"})
    return {
        "label": capfirst(model._meta.verbose_name_plural),
        "hits": hits(records[:HITS], text),
        "more": f"{list_url(model)}?{query}" if len(records) > HITS else "",
    }


def hits(records, text):
    """The records as a search shows them, the letters that were typed cut out."""
    return [
        {"record": record, "name": marked(str(record), text), "line": marked(line, text)}
        for record, line in ((record, line_of(record, text)) for record in records)
    ]


def line_of(record, text):
    """What tells a record from others, why it was found, and whose it is."""
    found_in = reason(record, text, shown=[str(record), record.hint])
    return ", ".join(filter(None, (record.hint, found_in, str(record.owner))))


class SeenView(View):
    """Note that the user has looked at a record; the record's page sends it by itself."""

    http_method_names = ("post",)

    def post(self, request, *args, label, pk):
        get_object_or_404(record_model(label).objects.visible_to(request.user), pk=pk)
        see(label, pk, by=request.user)
        return HttpResponse(status=204)


class PickerView(View):
    """The options for what was typed into a form's search box for one record."""

    def get(self, request, *args, label):
        model = record_model(label)
        name = request.GET.get("name", "")
        if not NAME.fullmatch(name):
            name = "record"
        text = request.GET.get(f"{name}_q", "")[:MAX_LENGTH].strip()
        chosen = request.GET.get(name, "")
        records = model.objects.live().visible_to(request.user)
        found = best_matches(records, text) if text else []
        key = key_or_none(chosen)
        if key is not None and key not in {record.pk for record in found}:
            found = [*records.select_related("owner").filter(pk=key)[:1], *found]
        picker = {
            "text": text,
            "is_required": request.GET.get("required") == "1",
            "is_blank": not chosen,
            "is_empty": bool(text) and not found,
            "options": [option_of(record, by=request.user, chosen=chosen) for record in found],
        }
        return render(request, "core/_picker_options.html", {"picker": picker, "name": name})
