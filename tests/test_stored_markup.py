"""
Markup in every text of the database is shown as text by every page, to whoever opens it.

The texts are written past forms and rules, as an import of other code or an operator might.
"""

import pytest
from django.apps import apps
from django.db import DatabaseError, models, transaction
from django.test import Client

from core.fields import CountryField, CurrencyField, StringListField, UrlField, UrlListField
from core.journal import Kind, Label, operation
from core.models import OwnedRecord
from tests.laboratory import Laboratory, World, is_html, rolled_back
from tests.routes import routes
from tests.test_architecture import LEVEL
from users.models import User

pytestmark = pytest.mark.django_db

MARK = '"><b canary=1>'
SHOWN = "&quot;&gt;&lt;b canary=1&gt;"
LINK = "javascript:alert(1)//"
# What only the code writes: names of its own things, places in the tree, the journal.
KEPT = {
    "password", "theme", "time_zone", "locale", "model", "verb", "list_key", "path",
    "before", "after", "checksum",
}  # fmt: skip
STATES = ("", "?view=all&columns=name&columns=owner&columns=city")


def text_fields(model):
    for field in model._meta.concrete_fields:
        is_text = isinstance(field, models.CharField | models.TextField | StringListField)
        is_code = isinstance(field, CountryField | CurrencyField)
        if is_text and not is_code and not field.choices and field.name not in KEPT:
            yield field


def marked(field, row):
    if isinstance(field, UrlListField):
        return [LINK + MARK]
    if isinstance(field, StringListField):
        return [f"{MARK}{row.pk}"]
    if isinstance(field, UrlField):
        return LINK + MARK
    return f"{MARK}{row.pk}"[: field.max_length]


def spoil(model):
    """Put markup into each text of each row that the database takes; returns the fields' names."""
    spoilt = set()
    for row in models.QuerySet(model).order_by("pk"):
        for field in text_fields(model):
            try:
                with transaction.atomic():
                    one = models.QuerySet(model).filter(pk=row.pk)
                    one.update(**{field.attname: marked(field, row)})
                spoilt.add(field.name)
            except DatabaseError:
                continue  # a constraint or the journal's own guard
    return spoilt


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), rolled_back():
        world = World()
        remember_markup(world)
        ours = [m for m in apps.get_models() if m._meta.app_label in LEVEL and not m._meta.proxy]
        world.spoilt = {model: spoil(model) for model in ours}
        yield world


def remember_markup(world):
    """Leave markup in the history: the journal itself takes no changes."""
    for record in (world.account, world.contact, world.handed_over):
        record = models.QuerySet(type(record)).get(pk=record.pk)
        with operation(Kind.EDIT, by=world.rep, label=Label("Edited", record=record)):
            record.description = MARK
            record.save(update_fields=["description"])


def test_the_texts_of_all_records_hold_markup(world):
    for model, spoilt in world.spoilt.items():
        if issubclass(model, OwnedRecord):
            assert len(spoilt) > 3, model
    assert len(world.spoilt[User]) > 1


@pytest.mark.parametrize("who", ["rep", "admin"])
def test_markup_in_the_database_is_shown_as_text(world, who):
    user = User.objects.get(pk=getattr(world, who).pk)
    laboratory = Laboratory(world, Client(), user)
    telling = set()
    for route in routes():
        for texts in world.arguments_of(route)[:2]:
            for state in STATES if not route.arguments else STATES[:1]:
                response = laboratory.get(route.at(texts) + state)
                if is_html(response) and SHOWN in response.content.decode():
                    telling.add(route.name)
    laboratory.judge()
    lists = {"leads:lead_list", "accounts:account_list", "contacts:contact_list", "home"}
    assert telling >= lists | {"leads:lead_detail", "core:history", "core:search"}, telling
    assert len(telling) > 50
