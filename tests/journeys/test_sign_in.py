import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.answers(422)
def test_sign_in_after_a_typing_error_and_sign_out(page, log_in, rep, accessible):
    page.goto("/leads/")
    expect(page).to_have_title("Sign in · Topsail")
    accessible()

    page.get_by_label("E-mail").fill("rae@example.com")
    page.get_by_label("Password", exact=True).fill("wrong horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("E-mail and password do not match.")
    expect(page.get_by_label("E-mail")).to_have_value("rae@example.com")
    accessible()

    log_in(rep)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rae")

    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_title("Sign in · Topsail")
    page.goto("/")
    expect(page).to_have_title("Sign in · Topsail")


def test_new_password_by_mail(page, rep, mailoutbox, accessible):
    page.goto("/login/")
    page.get_by_role("link", name="Forgot password?").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Forgot password")
    accessible()
    page.get_by_label("E-mail").fill(rep.email)
    page.get_by_role("button", name="Send link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your e-mail")

    link = next(line for line in mailoutbox[0].body.splitlines() if line.startswith("http"))
    page.goto(link)
    accessible()
    page.get_by_label("New password", exact=True).fill("a boat without oars")
    page.get_by_label("New password again").fill("a boat without oars")
    page.get_by_role("button", name="Change password").click()
    page.get_by_role("link", name="Sign in").click()

    page.get_by_label("E-mail").fill(rep.email)
    page.get_by_label("Password", exact=True).fill("a boat without oars")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(page.url.removesuffix("login/"))
