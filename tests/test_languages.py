"""Translations: the catalogue is whole, the compiled one agrees with it, and pages show it."""

import ast
import gettext
import re
import shutil
import string
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse
from django.utils.functional import Promise

from core.models import ListValue
from core.records import Journalled, codecs
from leads.models import LeadStatus
from opportunities.models import Opportunity, Stage
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory, RelationFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory, RoleFactory
from tests.pages import send
from tests.routes import routes

ROOT = Path(settings.BASE_DIR)
CATALOGUE = ROOT / "locale/de/LC_MESSAGES/django.po"
PERCENT = re.compile(r"%(?:\(\w+\))?[sd]")
LINE = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?)? ?(".*")')
# The operator's window onto the journal: its columns are called as in the code.
JOURNAL = {"admin:core_operation_changelist", "admin:core_change_changelist"}
SHOWN = {"aria-label", "title", "placeholder", "alt"}
UNSEEN = {"script", "style", "template"}
# What Django's German pages say: their word for the start page, an image that nobody translated.
DJANGO = {"Start", "Search"}


@dataclass(frozen=True)
class Entry:
    """One text of the catalogue with its translations: one, or one for each plural form."""

    context: str
    texts: tuple[str, ...]
    translations: tuple[str, ...]
    flags: str

    @property
    def key(self):
        return f"{self.context}\x04{self.texts[0]}" if self.context else self.texts[0]


@cache
def entries(path=CATALOGUE):
    return [entry for block in path.read_text("utf-8").split("\n\n") if (entry := _entry(block))]


def _entry(block):
    parts, key = {}, ""
    for line in block.splitlines():
        if not line.startswith("#") and (match := LINE.fullmatch(line)):
            key = match[1] or key
            parts[key] = parts.get(key, "") + ast.literal_eval(match[2])
    if not parts.get("msgid"):
        return None
    texts = tuple(parts[name] for name in ("msgid", "msgid_plural") if name in parts)
    translations = tuple(text for name, text in parts.items() if name.startswith("msgstr"))
    flags = " ".join(re.findall(r"^#, (.*)", block, re.MULTILINE))
    return Entry(parts.get("msgctxt", ""), texts, translations, flags)


def placeholders(text, flags):
    if "python-brace-format" in flags:
        return {name for _text, name, _spec, _how in string.Formatter().parse(text) if name}
    return set(PERCENT.findall(text))


# -- the catalogue ----------------------------------------------------------------------------


def test_every_text_is_translated():
    missing = [entry.texts[0] for entry in entries() if not all(entry.translations)]
    guessed = [entry.texts[0] for entry in entries() if "fuzzy" in entry.flags]

    assert len(entries()) > 1000
    assert (missing, guessed) == ([], [])


def test_translations_keep_placeholders_and_edges():
    for entry in entries():
        for text, translation in zip(entry.texts, entry.translations, strict=True):
            assert placeholders(text, entry.flags) == placeholders(translation, entry.flags), text
            assert re.findall(r"<[^>]*>", text) == re.findall(r"<[^>]*>", translation), text
            assert (text[0].isspace(), text[-1].isspace()) == (
                translation[0].isspace(),
                translation[-1].isspace(),
            ), text


def test_translations_follow_the_style():
    for entry in entries():
        for text in entry.translations:
            assert "!" not in text
            assert not re.search(r"\b(Ihr|Ihre|Ihren|Ihnen|du|dein|bitte)\b", text), text
            assert not re.search(r"[\"“][^„]*”", text), f"„…“ in {text}"


def test_the_compiled_catalogue_is_the_written_one():
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    expected = {}
    for entry in entries():
        if len(entry.texts) == 1:
            expected[entry.key] = entry.translations[0]
        else:
            expected |= {(entry.key, n): text for n, text in enumerate(entry.translations)}

    assert {key: text for key, text in compiled._catalog.items() if key} == expected


@pytest.mark.skipif(not shutil.which("xgettext"), reason="gettext is not installed")
def test_the_catalogue_has_every_text_of_the_code(tmp_path, monkeypatch):
    for folder in (path for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."):
        for file in folder.rglob("*"):
            if file.suffix in (".py", ".html", ".txt"):
                copy = tmp_path / file.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, copy)
    (tmp_path / "locale").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "LOCALE_PATHS", [str(tmp_path / "locale")])

    call_command("makemessages", locale=["de"], no_wrap=True, no_location=True, verbosity=0)

    found = {entry.key for entry in entries(tmp_path / "locale/de/LC_MESSAGES/django.po")}
    assert found - {entry.key for entry in entries()} == set()
    assert {entry.key for entry in entries()} - found == set()


def test_every_field_that_a_history_shows_has_a_name_to_translate():
    fields = [
        codec.field
        for model in apps.get_models()
        if issubclass(model, Journalled)
        for codec in codecs(model).values()
    ]
    unnamed = {str(field) for field in fields if not isinstance(field.verbose_name, Promise)}

    assert unnamed == set()


# -- the pages --------------------------------------------------------------------------------


class Texts(HTMLParser):
    """What people read of a page: its texts, and the attributes that are read out."""

    def __init__(self, response):
        super().__init__()
        self.found, self.open = set(), []
        self.feed(response.content.decode())

    def handle_starttag(self, tag, attrs):
        self.found |= {_plain(value) for name, value in attrs if name in SHOWN and value}
        if tag in UNSEEN:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in UNSEEN:
            self.open.pop()

    def handle_data(self, data):
        if not self.open and data.strip():
            self.found.add(_plain(data))


def _plain(text):
    return " ".join(text.split()).strip(" .:,")


def _folded(text):
    text = _plain(text)
    return text[:1].lower() + text[1:]


@cache
def english():
    """The texts of the catalogue that read otherwise in German: plain ones, and a pattern."""
    german = {_folded(text) for entry in entries() for text in entry.translations}
    changed = {
        text
        for entry in entries()
        for text, translation in zip(entry.texts, entry.translations, strict=True)
        if _folded(text) != _folded(translation) and _folded(text) not in german
    }
    plain = {_folded(text) for text in changed if not PERCENT.search(text)}
    patterns = [
        ".+".join(map(re.escape, PERCENT.split(_plain(text))))
        for text in changed - plain
        if len(re.findall(r"[a-zA-Z]{2,}", PERCENT.sub("", text))) > 1 and PERCENT.search(text)
    ]
    return plain, re.compile("|".join(patterns))


def english_of(response, known):
    """The English texts of a page; ``known`` are words that are not translated."""
    plain, pattern = english()
    texts = Texts(response).found - known
    return {text for text in texts if _folded(text) in plain or pattern.fullmatch(text)}


@pytest.fixture
def records(rep, admin):
    """A record of each kind, so that no page is empty."""
    account = AccountFactory(name="Zeta Werke", owner=rep, annual_revenue=1234567)
    AccountFactory(name="Zeta Nord", owner=rep, parent=account)
    contact = ContactFactory(last_name="Weber", owner=rep, account=account)
    deal = OpportunityFactory(name="Zeta 2030", owner=rep, account=account, amount=48000)
    lead = LeadFactory(owner=rep, last_name="Ruiz", company="Zeta Werke", budget=48000)
    found = [account, contact, deal, lead, RelationFactory(contact=contact)]
    found += [RoleFactory(opportunity=deal, contact=contact), rep, rep.team]
    found += [Stage.first_open(), LeadStatus.objects.order_by("pk").first()]
    return {type(record): record for record in found}


@pytest.fixture
def known(records):
    """What the database says, as seeds and people write it."""
    names = {str(record) for record in records.values()}
    for model, field in ((ListValue, "label"), (Stage, "name"), (LeadStatus, "name")):
        names |= set(model.objects.values_list(field, flat=True))
    return frozenset(names)


def speak_german(client, user):
    user.locale = "de"
    user.save()
    client.force_login(user)


def pages(records):
    """The pages that need no record, or one of those."""
    for route in routes():
        if route.is_admin or route.name in ("users:logout",):
            continue
        if not route.arguments:
            yield route.name, route.at({})
        elif route.arguments == ["pk"] and route.model in records:
            yield route.name, route.at({"pk": str(records[route.model].pk)})


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["rep", "admin"])
def test_pages_are_german(client, records, known, role, request):
    speak_german(client, request.getfixturevalue(role))

    shown, left = 0, {}
    for name, path in pages(records):
        response = client.get(path)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            shown += 1
            if found := english_of(response, known):
                left[name] = sorted(found)

    assert shown > 60
    assert left == {}


@pytest.mark.django_db
def test_english_on_a_page_is_noticed(client, records, known, rep):
    client.force_login(rep)

    found = english_of(client.get(reverse("leads:lead_list")), known)

    assert {"Recycle bin", "Sign out", "Add filter"} <= found


@pytest.mark.django_db
def test_errors_of_a_form_are_german(client, records, known, rep):
    speak_german(client, rep)
    page = reverse("accounts:account_create")

    response = send(client, page, name="", employees="viele", website="zeta werke")

    assert response.status_code == 422
    assert english_of(response, known) == set()
    assert "Dieses Feld ist erforderlich." in response.content.decode()
    assert "„viele“ ist keine ganze Zahl." in response.content.decode()


@pytest.mark.django_db
def test_numbers_dates_and_money_are_written_the_german_way(client, records, rep):
    speak_german(client, rep)
    deal = records[Opportunity]

    html = client.get(deal.get_absolute_url()).content.decode()

    assert "48.000\u00a0$" in html
    assert "30. Jun 2030" in html
    assert "48,000" not in html


@pytest.mark.django_db
def test_a_number_is_read_the_german_way(client, records, rep):
    speak_german(client, rep)
    deal = records[Opportunity]

    send(client, reverse("opportunities:opportunity_update", args=[deal.pk]), amount="51.500,50")

    deal.refresh_from_db()
    assert str(deal.amount).startswith("51500.5")


@pytest.mark.django_db
def test_django_admin_is_german(client, records, known, admin):
    speak_german(client, admin)
    keys = set(ListValue.objects.values_list("list_key", flat=True))

    for route in routes():
        is_list = route.name.endswith(("_changelist", ":index")) and not route.arguments
        if route.is_admin and is_list and route.name not in JOURNAL:
            response = client.get(route.at({}))
            assert english_of(response, keys | known | DJANGO) == set(), route.name
            assert "Abmelden" in response.content.decode()
