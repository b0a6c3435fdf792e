"""Finding records over all kinds, and the options of a picker."""

import re

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View

from core import reach
from core.forms import best_matches, key_or_none, option_of
from core.reach import Verb
from core.search import MAX_LENGTH, marked, ranked, words_of
from core.seen import recent_records, see
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

    def get_template_names(self):
        if not is_partial(self.request):
            return super().get_template_names()
        is_palette = self.request.GET.get("as") == "options"
        return ["core/_palette_hits.html" if is_palette else "core/_hits.html"]

    def render_to_response(self, context, **kwargs):
        response = super().render_to_response(context, **kwargs)
        patch_vary_headers(response, ["HX-Request"])
        return response

    def get_context_data(self, **kwargs):
        text = self.request.GET.get("q", "")[:MAX_LENGTH].strip()
        is_enough = bool(text) and bool(words_of(text))
        return {
            "q": text,
            "crumbs": [{"label": _("Search")}],
            "groups": [*self._groups(text)] if is_enough else [],
            "recent": [] if text else hits(recent_records(self.request.user), text),
            "is_asked": bool(text),
            **super().get_context_data(**kwargs),
        }

    def _groups(self, text):
        user = self.request.user
        for model in record_models():
            if not reach.may(user, Verb.VIEW, model):
                continue
            rows = model.objects.live().visible_to(user).select_related("owner")
            found = list(ranked(rows, text, limit=HITS + 1))
            if found:
                query = urlencode({"q": text, "view": "all"})
                yield {
                    "label": capfirst(model._meta.verbose_name_plural),
                    "hits": hits(found[:HITS], text),
                    "more": f"{list_url(model)}?{query}" if len(found) > HITS else "",
                }


def hits(records, text):
    """The records as a search shows them, the letters that were typed cut out of their names."""
    return [
        {
            "record": record,
            "name": marked(str(record), text),
            "line": ", ".join(filter(None, (record.hint, str(record.owner)))),
        }
        for record in records
    ]


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
