import pytest
from django.utils import timezone, translation

from tests.factories.users import UserFactory

pytestmark = pytest.mark.django_db


def test_pages_are_in_the_language_of_the_user(client):
    client.force_login(UserFactory(locale="de"))

    response = client.get("/", headers={"Accept-Language": "en"})

    assert response.headers["Content-Language"] == "de"
    assert '<html lang="de"' in response.content.decode()


def test_pages_are_in_the_language_of_the_browser_without_one(client):
    client.force_login(UserFactory())

    response = client.get("/", headers={"Accept-Language": "de"})

    assert response.headers["Content-Language"] == "de"


def test_zone_and_language_end_with_the_request(client):
    client.force_login(UserFactory(locale="de", time_zone="Asia/Tokyo"))
    before = timezone.get_current_timezone_name(), translation.get_language()

    client.get("/")

    assert (timezone.get_current_timezone_name(), translation.get_language()) == before


@pytest.mark.parametrize(
    ("referer", "next_page"),
    [
        ("http://testserver/leads/?q=acme", "/login/?next=/leads/%3Fq%3Dacme"),
        ("https://evil.example/leads/", "/login/?next=/"),
        ("//evil.example", "/login/?next=/"),
        ("", "/login/?next=/"),
    ],
)
def test_a_part_of_a_page_sends_its_page_to_the_login(client, referer, next_page):
    response = client.get("/", headers={"HX-Request": "true", "Referer": referer})

    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == next_page
    assert response.content == b""
