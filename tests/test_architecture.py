"""The house rules that a machine can check; CONTRIBUTING.md says why they are the rules."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.models import CheckConstraint, Q
from django.urls import URLPattern, get_resolver

from core.fields import LongTextField
from core.records import Journalled

LEVELS = ["users", "core", "accounts", "contacts", "opportunities", "products cases", "leads",
          "campaigns", "activities", "reports imports", "crm"]  # fmt: skip
LEVEL = {app: level for level, names in enumerate(LEVELS) for app in names.split()}
ALLOWED = {
    ("users", "core.errors"): "a leaf: errors.py imports nothing of ours",
    ("users", "core.records"): "users are journalled; it names them by settings.AUTH_USER_MODEL",
    ("users", "core.journal"): "the same; every write of a user is an operation",
    ("users", "core.admin"): "Django loads it after all models; nothing imports users.admin",
}
ATOMIC = {
    "core/journal.py": "opens every write",
    "core/jobs.py": "task rows, which are no records",
    "core/checks.py": "snapshots for reading",
}

# What a file of an app may be called: the same in every app, so that everybody finds it.
FILES = {
    "__init__", "admin", "apps", "batches", "checks", "filters", "forms", "models", "receivers",
    "seeds", "services", "signals", "tables", "urls", "views",
}  # fmt: skip
# What only one app has: a big verb with its own types, or what all apps share.
OWN_FILES = {
    "users": {
        "adapters", "attempts", "invitations", "middleware", "security", "sessions",
        "single_sign_on",
    },
    "core": {
        "addresses", "batches", "bulk", "constraints", "context_processors", "countries",
        "currencies", "display", "errors", "fields", "filtering", "fiscal", "history", "indexes",
        "journal", "lists", "middleware", "normalise", "once", "postgresql", "prepared", "rates",
        "reach", "records", "recycle_bin", "request_id", "saved_views", "search", "seen",
        "sharing", "undo",
    },
    "leads": {"assignment", "conversion"},
    "imports": {
        "drafts", "engine", "headers", "kinds", "links", "mapping", "reader", "results", "runs",
        "survey",
    },
    "crm": {
        "administration", "asgi", "backup", "bench", "demo", "errors", "health", "home", "logs",
        "middleware", "onboarding", "secret_key", "settings", "styles", "wsgi",
    },
}  # fmt: skip
# Models whose names are too long for their constraints' names.
SHORT = {
    "accountcontactrelation": "acr",
    "opportunity": "opp",
    "opportunitycontactrole": "ocr",
}
# Blocks of the design whose pages come with a later issue.
LATER = {
    "board", "chart", "composer", "deal-card", "lane", "stepper",
    "timeline", "timeline-day", "views__count",
}  # fmt: skip
FOLDERS = {"data", "management", "migrations", "templatetags"}

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    path.relative_to(ROOT)
    for app in LEVEL
    for path in (ROOT / app).rglob("*.py")
    if "migrations" not in path.parts
)
TEMPLATES = sorted(path.relative_to(ROOT) for path in (ROOT / "templates").rglob("*.html"))
SHEETS = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "static/css").rglob("*.css")
    if path.name != "topsail.css"  # the others, joined
)
SCRIPTS = sorted(path.relative_to(ROOT) for path in (ROOT / "static").rglob("*.js"))
MIGRATIONS = MigrationLoader(None).disk_migrations
MODELS = [
    model for app in apps.get_app_configs() if app.label in LEVEL for model in app.get_models()
]


@cache
def read(path):
    return (ROOT / path).read_text()


@cache
def nodes_of(path):
    return list(ast.walk(ast.parse(read(path))))


def names_in(path):
    """Every name and attribute that the code of a module mentions."""
    for node in nodes_of(path):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name.rpartition(".")[2]


def imports_of(path):
    for node in nodes_of(path):
        names = [node.module] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (name for name in names if name and name.split(".")[0] in LEVEL)


def named(*names):
    return [path for path in MODULES if path.stem in names or set(path.parts) & set(names)]


# Layers


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_point_downward(path):
    app = path.parts[0]
    for name in imports_of(path):
        other = name.split(".")[0]
        assert other == app or LEVEL[other] < LEVEL[app] or (app, name) in ALLOWED, name


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_foreign_keys_point_downward(model):
    app = model._meta.app_label
    for field in [*model._meta.fields, *model._meta.many_to_many]:
        target = field.related_model
        other = target._meta.app_label if isinstance(target, type) else app
        assert other not in LEVEL or other == app or LEVEL[other] < LEVEL[app], field.name


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_many_to_many_goes_through_a_record(model):
    for field in model._meta.many_to_many:
        assert issubclass(field.remote_field.through, Journalled), field.name


# Files


def test_files_have_names_that_every_app_knows():
    unknown = []
    for path in MODULES:
        app, *inner, _name = path.parts
        subject = inner[0] if inner else path.stem  # a file that grew is a folder of that name
        if subject not in FILES | FOLDERS | OWN_FILES.get(app, set()):
            unknown.append(str(path))
    assert unknown == []


# Writes


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_transactions_are_opened_by_the_journal_only(path):
    assert str(path) in ATOMIC or "atomic" not in names_in(path)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_rule_hides_in_a_save_signal(path):
    signals = {"pre_save", "post_save", "pre_delete", "post_delete", "m2m_changed"}
    assert signals & set(names_in(path)) == set()


@pytest.mark.parametrize("path", [path for path in MODULES if path.parts[0] != "core"], ids=str)
def test_no_sql_outside_core(path):
    sql = r"cursor\.execute|RawSQL|_raw_delete|\.(raw|extra)\("
    assert re.findall(sql, read(path)) == []


WRITES = {"save", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
PAGES = [
    path
    for path in named("views", "admin", "home", "filters", "tables", "templatetags")
    if path.parts[:2] not in {("core", "views.py"), ("core", "views")}  # where forms are saved
]


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_pages_write_by_services_only(path):
    called = {
        node.func.attr
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert called & WRITES == set()


# Reading


@pytest.mark.parametrize("path", named("views", "forms", "home", "templatetags"), ids=str)
def test_pages_read_what_the_user_may_see(path):
    for node in nodes_of(path):
        if not isinstance(node, ast.Call):
            continue
        call = ast.unparse(node)
        assert not re.match(r"[\w.]+\.objects\.(all|get)\(", call), call
        assert not re.match(r"get_(object|list)_or_404\([A-Z]\w*[,)]", call), call


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_order_is_asked_for_where_it_is_shown(model):
    assert not model._meta.ordering


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_constraints_are_named_after_their_model(model):
    name = model._meta.model_name
    starts = (f"{name}_", f"{SHORT.get(name, name)}_")
    assert [c.name for c in model._meta.constraints if not c.name.startswith(starts)] == []
    assert model._meta.unique_together == ()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_database_too_keeps_to_the_limit_of_a_long_text(model):
    conditions = {c.condition for c in model._meta.constraints if isinstance(c, CheckConstraint)}
    for field in model._meta.concrete_fields:
        if isinstance(field, LongTextField):
            assert Q(**{f"{field.name}__length__lte": field.limit}) in conditions, field.name


@pytest.mark.parametrize("key", sorted(k for k in MIGRATIONS if k[0] in LEVEL), ids=".".join)
def test_migrations_can_be_taken_back(key):
    assert [step for step in MIGRATIONS[key].operations if not step.reversible] == []


# Templates, style sheets


FORBIDDEN_IN_TEMPLATES = {
    "inline style": r"\sstyle\s*=",
    "inline script": r"<script(?![^>]*\ssrc=)",
    "handler in an attribute": r"\son[a-z]+\s*=",
    "htmx code in an attribute": r"\shx-on|js:",
    "unescaped output": r"\|\s*safe\b|autoescape\s+off",
    "another site's file": r"""(src|href)=["']?(https?:)?//""",
}


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_templates_fit_the_content_security_policy(path):
    text = re.sub(r"\{#.*?#\}", "", read(path))
    assert [what for what, found in FORBIDDEN_IN_TEMPLATES.items() if re.search(found, text)] == []


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_code_marks_nothing_as_safe(path):
    assert {"mark_safe", "SafeString", "csrf_exempt"} & set(names_in(path)) == set()


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_markup_is_formatted_from_what_stands_in_the_code(path):
    """``format_html`` escapes what is filled in, not what an f-string has put in before."""
    for node in nodes_of(path):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "").startswith("format_html"):
            assert not any(isinstance(part, ast.JoinedStr) for part in ast.walk(node.args[0]))


COLOUR = re.compile(
    r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|hwb|lab|lch|oklab|oklch|light-dark)a?\("
    r"|(?<![\w-])(?:white|black|red|green|blue|orange|yellow|gr[ae]y|silver)(?![\w-])",
    re.IGNORECASE,
)


def rules_of(path):
    """A style sheet without comments and addresses."""
    return re.sub(r"/\*.*?\*/|url\([^)]*\)", "", read(path), flags=re.DOTALL)


@pytest.mark.parametrize("path", [p for p in SHEETS if p.name != "tokens.css"], ids=str)
def test_colours_stand_in_the_tokens_only(path):
    values = re.findall(r":([^;{}]*)[;}]", rules_of(path))
    assert [value for value in values if COLOUR.search(value)] == []


def classes_with_a_rule():
    """The classes that the style sheets know; a class in a selector starts with a letter."""
    selectors = (re.sub(r"\{[^{}]*\}|@import[^;]*;", "{", rules_of(path)) for path in SHEETS)
    return {name for text in selectors for name in re.findall(r"\.([a-z][\w-]*)", text)}


def used_classes(text):
    """The classes in a template's attributes; from where a part is filled in, ``*`` stands."""
    text = re.sub(r"\{#.*?#\}|\{%\s*comment.*?endcomment\s*%\}", "", text, flags=re.DOTALL)
    for value in re.findall(r"""\sclass=["']((?:\{[{%].*?[}%]\}|[^"'])*)["']""", text, re.DOTALL):
        value = re.sub(r"\{[{%].*?[}%]\}", "*", value)
        yield from value.split()


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_classes_in_templates_have_a_rule(path):
    known = classes_with_a_rule()
    unknown = []
    for name in used_classes(read(path)):
        start, filled_in, _rest = name.partition("*")
        found = any(rule.startswith(start) for rule in known) if filled_in else name in known
        if not found:
            unknown.append(name)
    assert unknown == []


def test_rules_have_a_use():
    """In a template, a script or the code that names classes; one word may be filled in."""
    text = "\n".join(read(path) for path in [*TEMPLATES, *SCRIPTS, *MODULES])
    words = set(re.findall(r"[a-z][\w-]*", text))
    stems = tuple(re.findall(r"([a-z][\w-]*(?:-|__))(?=\{)", text))
    unused = {name for name in classes_with_a_rule() - words if not name.startswith(stems)}
    blocks = {name: name.partition("__")[0].partition("--")[0] for name in unused}
    assert {name for name, block in blocks.items() if not {name, block} & LATER} == set()


# Tests


def pages(patterns, namespace=""):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}"
        elif pattern.namespace != "admin":
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from pages(pattern.url_patterns, inner)


def test_every_page_has_a_test():
    text = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    names = set(pages(get_resolver().url_patterns))
    assert {name for name in names if f'"{name}"' not in text} == set()
