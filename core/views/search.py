"""Finding records over all kinds, and the options of a picker."""

import re

from django.shortcuts import render
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View

from core import reach
from core.forms import best_matches, key_or_none, option_of
from core.indexes import Unindexed
from core.reach import Verb
from core.search import MAX_LENGTH, words_of
from core.views.base import is_partial, list_url, record_model, record_models

HITS = 8
NAME = re.compile(r"[a-z][a-z0-9_-]{0,60}", re.ASCII)


class SearchView(TemplateView):
    """One box over all records that the user may see: by name, company, e-mail, phone, number."""

    template_name = "core/search.html"

    def get_template_names(self):
        return ["core/_hits.html"] if is_partial(self.request) else super().get_template_names()

    def get_context_data(self, **kwargs):
        text = self.request.GET.get("q", "")[:MAX_LENGTH].strip()
        is_enough = bool(text) and bool(words_of(text))
        return {
            "q": text,
            "crumbs": [{"label": _("Search")}],
            "groups": [*self._groups(text)] if is_enough else [],
            "is_asked": bool(text),
            **super().get_context_data(**kwargs),
        }

    def _groups(self, text):
        user = self.request.user
        for model in record_models():
            if not reach.may(user, Verb.VIEW, model):
                continue
            rows = model.objects.live().visible_to(user).search(text)
            keys = rows.order_by(Unindexed("pk").desc()).values("pk")[: HITS + 1]
            found = list(rows.filter(pk__in=keys).select_related("owner").order_by("-pk"))
            if found:
                yield {
                    "label": capfirst(model._meta.verbose_name_plural),
                    "records": found[:HITS],
                    "more": list_url(model) if len(found) > HITS else "",
                }


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
