import pytest

from accounts.models import Account
from core.search import search, words_of
from tests.factories.accounts import AccountFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def accounts():
    names = ("Müller & Söhne AG", "Acme Ltd", "3M", "O'Brien", "100% Pure_Water")
    return [AccountFactory(name=name, phone="+49 (040) 5550-100" if "Acme" in name else "")
            for name in names]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("muller", ["Müller & Söhne AG"]),
        ("MÜLLER sohne", ["Müller & Söhne AG"]),
        ("sohne müll", ["Müller & Söhne AG"]),
        ("müller ag", ["Müller & Söhne AG"]),
        ("ag", []),
        ("3m", ["3M"]),
        ("ac", ["Acme Ltd"]),
        ("a c", []),
        ("obrien", ["O'Brien"]),
        ("O'Brien", ["O'Brien"]),
        ("5550100", ["Acme Ltd"]),
        ("040 5550 100", ["Acme Ltd"]),
        ("(555) 0100", ["Acme Ltd"]),
        ("acme nothing", []),
        ("!!!", []),
        ("%%%", []),
        ("pure_w", ["100% Pure_Water"]),
    ],
)
def test_search_finds_every_word_as_typed(accounts, text, names):
    found = search(Account.objects.all(), text).order_by("pk")

    assert [account.name for account in found] == names


@pytest.mark.parametrize("text", ["", "   ", "\t"])
def test_a_blank_search_finds_everything(accounts, text):
    assert search(Account.objects.all(), text).count() == len(accounts)


def test_a_long_text_is_cut():
    assert words_of("x" * 300)[0] == "x" * 300
    assert not search(Account.objects.all(), "x" * 10_000).exists()


def test_words_are_asked_for_once():
    assert words_of("acme ACME Ácme") == ["acme"]
    assert words_of("+49 40 12345") == words_of("0049 (0)40-12345") == ["4012345"]
    assert words_of("+49 405") == ["49405"]
    assert words_of("+999 12345678") == ["99912345678"]
    assert words_of("00 00 0") == ["0"]
