import pytest

from imports.results import address_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("label", ["leads.lead", "accounts.account"])
def test_the_address_of_an_imported_record_costs_no_query(label, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert address_of(label, 7) == f"/{label.split('.')[0]}/7/"
