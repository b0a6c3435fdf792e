import pytest
from django.db import connection

from accounts.models import Account
from contacts.models import Contact
from core.indexes import SearchIndex
from leads.models import Lead
from opportunities.models import Opportunity

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", [Account, Contact, Lead, Opportunity])
def test_search_text_is_indexed_as_the_database_can_use_it(model):
    (index,) = [i for i in model._meta.indexes if isinstance(i, SearchIndex)]
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)[index.name]

    columns = [model._meta.get_field(name).column for name in index.fields]
    if connection.vendor == "postgresql":
        assert (found["type"], found["columns"]) == ("gin", ["search_text"])
    else:
        assert found["columns"] == columns
    assert columns[-1] == "search_text"
