import re
import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
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


def code_of(secret):
    """What the app shows now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def link_in(mail):
    return next(line for line in mail.body.splitlines() if line.startswith("http"))


@pytest.mark.answers(422)
def test_second_step_with_an_app(page, log_in, rep, accessible):
    log_in(rep)
    page.goto("/settings/me/")
    page.get_by_role("link", name="Second step").click()
    accessible()
    page.get_by_role("link", name="Set up an app").click()
    expect(page.get_by_role("img", name="The key as a picture to scan")).to_be_visible()
    accessible()
    secret = page.locator("code").inner_text()
    page.get_by_label("Code from the app").fill(code_of(secret))
    page.get_by_role("button", name="Switch on").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    accessible()
    recovery = page.locator("code").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Sign out").click()

    page.get_by_label("E-mail").fill(rep.email)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Second step")
    accessible()
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("This code is not valid.")).to_be_visible()
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rae")


def test_an_invitation_leads_in_and_the_session_is_listed(page, log_in, admin, mailoutbox):
    log_in(admin)
    page.goto("/settings/users/new/")
    page.get_by_label("Name").fill("Noa New")
    page.get_by_label("E-mail").fill("noa@example.com")
    page.get_by_label("Role").first.select_option("REP")
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_text("Added and invited Noa New.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()

    page.goto(link_in(mailoutbox[0]))
    page.get_by_label("Password", exact=True).fill("a boat without oars")
    page.get_by_label("Password again").fill("a boat without oars")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Noa")

    page.goto("/account/sessions/")
    expect(page.get_by_text("this one")).to_be_visible()


def test_a_passkey_is_enough(page, log_in, rep):
    """A device of the browser's own, which answers as a real one does."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
              "hasUserVerification": True, "isUserVerified": True,
              "automaticPresenceSimulation": True}  # fmt: skip
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    log_in(rep)
    page.goto(re.sub("127.0.0.1", "localhost", page.url))  # an address can't be a passkey's
    if "/login/" in page.url:
        page.get_by_label("E-mail").fill(rep.email)
        page.get_by_label("Password", exact=True).fill("correct horse battery")
        page.get_by_role("button", name="Sign in").click()
    home = page.url.split("?")[0].rstrip("/")

    page.goto(f"{home}/account/two-step/keys/new/")
    page.get_by_label("Name of the key").fill("This machine")
    page.get_by_label("Sign in with it alone").check()
    page.get_by_role("button", name="Add a key").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    page.get_by_role("button", name="Sign out").click()

    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rae")
