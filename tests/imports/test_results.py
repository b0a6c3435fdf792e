import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.results import address_of, as_typed, neutralised

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("label", ["leads.lead", "accounts.account"])
def test_the_address_of_an_imported_record_costs_no_query(label, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert address_of(label, 7) == f"/{label.split('.')[0]}/7/"


FORMULAS = ["=1+1", "+1", "-1", "@x", " =1", '"=1', "'=1", "\u3000=1", "\uff1d1", "\t=1", "\r=1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_that_a_spreadsheet_would_compute_gets_an_apostrophe(text):
    assert neutralised(text) == f"'{text}"


@given(st.text("=+-@'\" \u3000\uff1dab1", max_size=8))
def test_a_cell_that_was_neutralised_is_read_as_it_was(text):
    assert as_typed(neutralised(text)) == text


@pytest.mark.parametrize("text", ["'t Hooft", "'Tis", "'", "''", "' OR 1=1"])
def test_an_apostrophe_of_a_name_stays(text):
    assert as_typed(text) == text
