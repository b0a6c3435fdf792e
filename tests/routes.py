"""The routes of the product, read from the URL resolver: a new page is tested unnamed."""

import re
from dataclasses import dataclass, field

from django.apps import apps
from django.urls import URLPattern, get_resolver

ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>|\^?\(\?P<(\w+)>[^)]*\)|\$$")


@dataclass(frozen=True)
class Route:
    """One pattern: its full name, its path with the converters as they stand there, its view."""

    name: str
    path: str
    pattern: URLPattern = field(repr=False, compare=False)

    def __str__(self):
        return self.name

    @property
    def view(self):
        """The class of the view; None for a function."""
        return getattr(self.pattern.callback, "view_class", None)

    @property
    def is_admin(self):
        return self.name.startswith("admin:")

    @property
    def arguments(self):
        """The names of the arguments in the path."""
        return [one or other for one, other in ARGUMENT.findall(f"/{self.path}") if one or other]

    @property
    def model(self):
        """The model of the records that the path's key names; None for anything else."""
        declared = getattr(self.pattern.callback, "view_initkwargs", {}).get("model")
        if self.is_admin and "object_id" in self.arguments and "_" in self.name:
            app, _line, rest = self.name.removeprefix("admin:").partition("_")
            name = rest.rpartition("_")[0]
            return apps.get_model(app, name) if (app, name) in known_models() else None
        model = declared or getattr(self.view, "model", None)
        return model if isinstance(model, type) else None

    def at(self, texts):
        """The path with a text, already quoted, in place of each argument."""
        return ARGUMENT.sub(
            lambda match: texts[match[1] or match[2]] if match[0] != "$" else "", f"/{self.path}"
        )


def known_models():
    return {(model._meta.app_label, model._meta.model_name) for model in apps.get_models()}


def routes(patterns=None, namespace="", path=""):
    """All routes with a name, Django admin's included."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        here = f"{path}{pattern.pattern}"
        if not isinstance(pattern, URLPattern):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern.url_patterns, inner, here)
        elif pattern.name:
            yield Route(f"{namespace}{pattern.name}", here, pattern)
