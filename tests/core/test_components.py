from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.template import Context, Template
from django.utils import timezone, translation

from core import display
from core.models import Organisation
from core.once import once, request_cache
from core.templatetags import components

NOW = datetime(2026, 6, 16, 9, 0, tzinfo=UTC)
TODAY = NOW.date()


class Person:
    def __init__(self, name, pk):
        self.name = name
        self.pk = pk

    def __str__(self):
        return self.name


@pytest.fixture(autouse=True)
def british_organisation_in_euros():
    with request_cache(), translation.override("en-gb"), timezone.override(ZoneInfo("UTC")):
        once("organisation", lambda: Organisation(pk=1, default_currency="EUR"))
        yield


def rendered(text, **context):
    return Template("{% load components %}" + text).render(Context(context)).strip()


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (Decimal("48000"), "EUR", "€48,000"),
        (Decimal("47999.5"), "EUR", "€48,000"),
        (Decimal("0"), "EUR", "€0"),
        (Decimal("-1250"), "EUR", "-€1,250"),
        (Decimal("52000"), "USD", "USD\u00a052,000"),
        (Decimal("52000"), "", "52,000"),
        (None, "EUR", ""),
    ],
)
def test_money_is_written_with_the_symbol_of_the_own_currency_only(amount, currency, written):
    assert display.money(amount, currency) == written


def test_money_shows_cents_where_asked_for():
    assert display.money(Decimal("1450.5"), "EUR", digits=2) == "€1,450.50"


def test_money_follows_the_language():
    with translation.override("de"):
        assert display.money(Decimal("48000"), "EUR") == "48.000\u00a0€"


def test_money_shows_the_converted_amount_in_grey_behind_another_currency():
    html = rendered("{% money 52000 'USD' converted=48100 %}")

    assert html == 'USD\u00a052,000 <span class="mute">· €48,100</span>'


@pytest.mark.parametrize(("share", "written"), [(50, "50\u202f%"), (Decimal("0"), "0\u202f%")])
def test_percent_is_a_whole_number(share, written):
    assert display.percent(share) == written


def test_percent_of_nothing_is_blank():
    assert display.percent(None) == ""


@pytest.mark.parametrize(("count", "written"), [(38, "38"), (9_999, "9,999"), (10_001, "10,000+")])
def test_counted_stops_at_the_cap(count, written):
    assert display.counted(count) == written


@pytest.mark.parametrize(
    ("language", "written"),
    [("en-gb", "16 Jun 2026"), ("en", "Jun 16, 2026"), ("de", "16. Jun 2026")],
)
def test_day_follows_the_language(language, written):
    with translation.override(language):
        assert display.day(TODAY) == written


@pytest.mark.parametrize(
    ("day", "written"), [(date(2026, 3, 1), "1 Mar"), (date(2025, 3, 1), "1 Mar 2025")]
)
def test_short_day_leaves_out_the_current_year(day, written):
    assert display.short_day(day, today=TODAY) == written


@pytest.mark.parametrize(
    ("day", "written"),
    [
        (date(2026, 6, 16), "Today"),
        (date(2026, 6, 17), "Tomorrow"),
        (date(2026, 6, 19), "Fri 19 Jun"),
        (date(2027, 1, 4), "4 Jan 2027"),
        (date(2026, 6, 15), "Yesterday, overdue"),
        (date(2026, 6, 12), "Fri 12 Jun, overdue"),
        (None, ""),
    ],
)
def test_due_says_what_is_near_and_what_is_overdue(day, written):
    assert display.due(day, today=TODAY) == written


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2026, 6, 16, 8, 42, tzinfo=UTC), "Today 08:42"),
        (datetime(2026, 6, 15, 8, 42, tzinfo=UTC), "Yesterday"),
        (datetime(2026, 6, 12, 16, 20, tzinfo=UTC), "Fri 12 Jun 16:20"),
        (datetime(2025, 6, 12, 16, 20, tzinfo=UTC), "12 Jun 2025 16:20"),
        (None, ""),
    ],
)
def test_moment_is_near_or_exact(at, written):
    assert display.moment(at, now=NOW) == written


def test_moment_counts_days_in_the_zone_of_the_user():
    late = datetime(2026, 6, 15, 23, 30, tzinfo=UTC)

    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert display.moment(late, now=NOW) == "Today 01:30"


def test_stamp_is_timed_as_the_language_does():
    at = datetime(2026, 6, 12, 16, 20, tzinfo=UTC)

    assert display.stamp(at) == "12 Jun 2026, 16:20"
    with translation.override("en"):
        assert display.stamp(at) == "Jun 12, 2026, 4:20 p.m."


@pytest.mark.parametrize(
    ("ago", "written"),
    [
        (timedelta(seconds=30), "0 min"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=6), "6 days"),
    ],
)
def test_age_is_in_the_largest_unit(ago, written):
    assert display.age(NOW - ago, now=NOW) == written


def test_times_carry_their_exact_value_and_zone():
    at = datetime(2026, 6, 12, 16, 20, tzinfo=UTC)

    html = rendered("{% stamp at %}", at=at)

    assert html == (
        '<time datetime="2026-06-12T16:20:00+00:00" title="12 Jun 2026, 16:20 UTC">'
        "12 Jun 2026, 16:20</time>"
    )


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " JaVa\tscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example",
        "http://user:pw@evil.example",
        "http://",
        "http://[",
        "https:/\\evil.example",
        "ftp://files.example",
    ],
)
def test_external_link_shows_anything_but_a_web_address_as_text(url):
    assert "<a" not in rendered("{% external_link url %}", url=url)


def test_external_link_names_the_page_and_tells_it_nothing():
    html = rendered("{% external_link 'https://www.meridian.example/' %}")

    assert html == (
        '<a href="https://www.meridian.example/" rel="noopener noreferrer nofollow">'
        "meridian.example</a>"
    )


def test_external_link_escapes_what_it_shows():
    html = rendered("{% external_link url %}", url='http://x"onclick="alert(1)')

    assert '"onclick' not in html


@pytest.mark.parametrize(
    ("phone", "html"),
    [
        ("+49 40 5550-132", '<a href="tel:+49405550132">+49 40 5550-132</a>'),
        ("040 5550", '<a href="tel:0405550">040 5550</a>'),
        ("ask for Jo", "ask for Jo"),
        ("", ""),
    ],
)
def test_phone_link_is_called_as_digits_and_shown_as_typed(phone, html):
    assert rendered("{% phone_link phone %}", phone=phone) == html


def test_email_link_can_carry_nothing_but_an_address():
    html = rendered("{% email_link email %}", email="a@b.example?bcc=c@d.example")

    assert 'href="mailto:a@b.example%3Fbcc%3Dc@d.example"' in html


def test_pill_has_known_tones_only_and_escapes_its_label():
    assert rendered("{% pill 'Hot' tone='bad' %}") == '<span class="pill pill--bad">Hot</span>'
    html = rendered("{% pill label tone=tone %}", label="<b>", tone='"x')
    assert html == '<span class="pill">&lt;b&gt;</span>'


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Mara Lindqvist", "ML"), ("Ana Ruiz Delgado", "AD"), ("mara@halden.example", "M")],
)
def test_avatar_shows_initials_and_speaks_the_name(name, letters):
    html = rendered("{% avatar user %}", user=Person(name, 6))

    assert f">{letters}</span>" in html
    assert f'<span class="spoken">{name}</span>' in html
    assert "avatar--3" in html


def test_tile_shows_the_kind_of_a_record():
    assert "tile--lead" in rendered("{% tile 'lead' %}")
    assert "tile--deal tile--large" in rendered("{% tile 'opportunity' 'large' %}")


def test_panel_frames_its_content_under_a_heading_that_names_it():
    html = rendered("{% panel title='Open deals' count=0 %}<ul></ul>{% endpanel %}")

    assert 'aria-labelledby="panel-open-deals"' in html
    assert '<h2 id="panel-open-deals">Open deals</h2>' in html
    assert '<span class="panel__count">0</span>' in html
    assert "<ul></ul>" in html


@pytest.mark.parametrize("kind", sorted(components.SHOWN))
def test_every_kind_shows_an_unknown_value_as_nothing(kind):
    assert components.SHOWN[kind](None, currency="EUR", tone="good") == ""


def test_field_ties_hint_and_error_to_the_input():
    class NameForm(forms.Form):
        name = forms.CharField(label="Name", help_text="As in the passport.")

    html = rendered("{% field form.name %}", form=NameForm({"name": ""}))

    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext">As in the passport.' in html
    assert 'id="id_name_error">' in html
    assert 'aria-invalid="true"' in html
