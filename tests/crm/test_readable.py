"""What cannot be read is refused before anything reads it: the address, and the body of a form."""

from io import BytesIO

import pytest

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
PAGES = ["/login/", "/leads/new/", "/admin/core/listvalue/add/", "/no-such-page/", "/static/x.css"]
NOT_TEXT = ["%00", "a%00b", "%FF", "%C3%28", "%ED%A0%80"]

each_page = pytest.mark.parametrize("page", PAGES)


@pytest.fixture
def client(client, admin):
    client.force_login(admin)
    client.raise_request_exception = False
    return client


def part(name, text, rest=""):
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"{rest}\r\n\r\n'
    return f"{head}{text}\r\n"


def parts(*some):
    return "".join(some) + "--x--\r\n"


UNREADABLE = {
    "form in another charset": (400, f"{FORM}; charset=utf-16", "name=x"),
    "form in an unknown charset": (400, f"{FORM}; charset=nonsense", "name=x"),
    "form in what is no charset": (400, f"{FORM}; charset=base64", "name=x"),
    "parts in another charset": (400, f"{MULTIPART}; charset=utf-7", parts(part("a", "x"))),
    "form with damaged letters": (400, FORM, "name=%FF%FE"),
    "form with half a letter": (400, FORM, "name=%ED%A0%80"),
    "too many fields": (413, FORM, "&".join(f"a{n}=1" for n in range(1001))),
    "too many parts": (413, MULTIPART, parts(*(part(f"a{n}", "1") for n in range(1001)))),
    "too large a form": (413, FORM, "name=" + "x" * 2_700_000),
    "too large a part": (413, MULTIPART, parts(part("name", "x" * 2_700_000))),
    "too many files": (
        413,
        MULTIPART,
        parts(*(part("f", "1", f'; filename="{n}"') for n in range(101))),
    ),
    "parts without a boundary": (400, "multipart/form-data", parts(part("a", "x"))),
    "a part that is no base64": (
        400,
        MULTIPART,
        parts(part("f", "%%%", '; filename="a"\r\nContent-Transfer-Encoding: base64')),
    ),
}


@pytest.mark.parametrize(("status", "kind", "body"), UNREADABLE.values(), ids=UNREADABLE)
@each_page
def test_a_form_that_cannot_be_read_is_refused(client, page, status, kind, body):
    response = client.generic("POST", page, body, kind)

    assert response.status_code == status
    assert b"Nothing was changed" in response.content


@pytest.mark.parametrize("length", ["99", "abc", "-1", "9" * 5000, "1.5", "\u0663"])
@pytest.mark.parametrize(
    "kind, body", [(FORM, b"a=1"), (MULTIPART, parts(part("a", "x")).encode())]
)
@each_page
def test_a_form_that_lies_about_its_length_is_refused(client, page, kind, body, length):
    sent = {"wsgi.input": BytesIO(body[:20]), "CONTENT_LENGTH": length}

    response = client.generic("POST", page, body, kind, **sent)

    assert response.status_code == 400


@pytest.mark.parametrize("bad", NOT_TEXT)
@each_page
def test_an_address_that_is_no_text_is_refused(client, page, bad):
    for address in (f"{page}?q={bad}", f"{page}?{bad}=1", f"{page}{bad}"):
        assert client.get(address).status_code == 400, address


def test_a_null_character_in_a_form_is_told_at_its_field(client):
    response = client.post("/leads/new/", {"last_name": "a\x00b"})

    assert response.status_code == 422
    assert response.context["form"].errors["last_name"]


@pytest.mark.parametrize("kind", [FORM, f"{FORM}; charset=UTF-8", MULTIPART])
def test_letters_of_any_script_can_be_read(client, kind):
    """The e-mail is none, so that the page comes back with what was read."""
    typed = "\u00e9\u6f22\U0001f600"
    body = f"last_name={typed}&email=x"
    if kind == MULTIPART:
        body = parts(part("last_name", typed), part("email", "x"))

    response = client.generic("POST", "/leads/new/?q=%C3%A9", body.encode(), kind)

    assert typed in response.context["form"]["last_name"].value()
