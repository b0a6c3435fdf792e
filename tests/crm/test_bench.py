import pytest
from django.test import Client

from accounts.models import Account
from crm.bench import calibration
from crm.bench.filling import fill
from crm.bench.pages import Pages
from crm.bench.report import table_of_pages
from crm.bench.sending import values_of
from crm.bench.timing import Figure, measure
from leads.models import Conversion, Lead

SIZE = 1000


@pytest.mark.django_db(transaction=True)
def test_fill_makes_records_in_proportion_with_derived_fields():
    fill(SIZE)

    assert (Lead.objects.count(), Account.objects.count()) == (SIZE, SIZE // 2)
    assert Conversion.objects.count() == Lead.objects.converted().count() > 0
    child = Account.objects.select_related("parent").filter(depth=2).order_by("pk")[0]
    assert child.path == child.parent.branch
    assert Lead.objects.search("quillfeather").exists()
    lead = Lead.objects.order_by("pk")[0]
    derived = {name: getattr(lead, name) for name in Lead.derived}
    Lead.derive([lead])
    assert {name: getattr(lead, name) for name in Lead.derived} == derived


@pytest.mark.django_db(transaction=True)
def test_each_measured_page_answers_beside_the_plain_list(settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    filling = fill(SIZE)
    client = Client(SERVER_NAME="localhost")
    client.force_login(filling.rep)
    plain = calibration.plain_client(SERVER_NAME="localhost")

    response = plain.get(calibration.PATH)
    figures = [
        measure(page, lambda: plain.get(calibration.PATH), pairs=1)
        for page in Pages(filling, client).all()
    ]

    assert response.content.decode().count("<tr>") == 51
    assert all(figure.ratio > 0 and figure.kilobytes < 100 for figure in figures)
    created = Lead.objects.filter(company__startswith="Newcomer")
    assert created.exists()
    assert Conversion.objects.filter(origin=Conversion.Origin.CONVERTED).exists()


def test_growth_is_that_of_the_ratio_and_marked_beyond_its_bound():
    def figure(ms, ratio):
        return Figure("list", 2.5, ms, ratio, 8, 60)

    _head, line = table_of_pages({1000: [figure(10, 2)], 10_000: [figure(10, 3)]})

    assert line.split() == [
        "list",
        "10.0",
        "2.00",
        "10.0",
        "3.00",
        "!",
        "2.5",
        "8",
        "60",
        "1.50",
        "!",
    ]


def test_a_form_is_read_as_a_browser_would_send_it():
    values = values_of(
        """
        <form method="post"><input name="outside" value="1"></form>
        <main><form method="get"><input name="q" value="x"></form>
        <form method="post">
          <input type="hidden" name="key" value="abc">
          <input type="radio" name="mode" value="new" checked>
          <input type="radio" name="mode" value="old">
          <input type="checkbox" name="carry" value="a" checked>
          <input type="checkbox" name="carry" value="b" checked>
          <select name="first"><option value="1">One</option><option value="2">Two</option></select>
          <select name="chosen"><option value="1">1</option><option value="2" selected>2</option>
          </select>
          <textarea name="note">two
          lines</textarea>
          <button type="submit" name="send">Send</button>
        </form></main>
        """
    )

    assert values == {
        "key": "abc",
        "mode": "new",
        "carry": ["a", "b"],
        "first": "1",
        "chosen": "2",
        "note": "two\n          lines",
    }
