"""The frame of every page, in a browser: what its scripts do, and that it does without them."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_theme_is_switched_and_kept(page, log_in, rep):
    log_in(rep)
    page.emulate_media(color_scheme="light")

    page.get_by_role("button", name="Switch between light and dark").click()
    page.reload()

    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_a_menu_closes_on_escape_and_gives_the_focus_back(page, log_in, rep):
    log_in(rep)
    page.locator("summary", has_text="New").click()
    page.get_by_role("link", name="Lead", exact=False).last.focus()

    page.keyboard.press("Escape")

    assert page.locator("details[open]").count() == 0
    assert page.evaluate("document.activeElement.textContent.trim()") == "New"


def test_two_letters_go_to_a_page_but_not_while_somebody_types(page, log_in, rep):
    log_in(rep)
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/accounts/")

    page.get_by_role("searchbox").first.focus()
    page.keyboard.type("gl")
    assert page.url.endswith("/accounts/")


def test_the_search_is_opened_from_everywhere_by_its_key(page, log_in, rep):
    log_in(rep)

    page.keyboard.press("Control+k")

    page.get_by_role("combobox", name="Search and commands").wait_for()


@pytest.mark.answers(404)
def test_a_refused_part_of_a_page_becomes_a_toast_that_can_be_closed(page, log_in, rep):
    log_in(rep)

    page.evaluate("htmx.ajax('GET', '/nowhere/', {target: '#main', source: '#main'})")
    toast = page.locator("[data-toast]", has_text="This page does not exist")
    toast.wait_for()
    toast.get_by_role("button", name="Close").click()

    assert page.locator("[data-toast]").count() == 0
    assert "Rae" in page.get_by_role("heading", level=1).inner_text()


@pytest.mark.parametrize("width", [1440, 390, 320])
def test_the_shell_is_accessible_and_never_scrolls_sideways(page, log_in, rep, accessible, width):
    page.set_viewport_size({"width": width, "height": 900})
    log_in(rep)

    accessible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_navigation_of_a_phone_opens_without_scripts(browser, live_server, client, rep):
    client.force_login(rep)
    cookies = [
        {"name": n, "value": c.value, "url": live_server.url} for n, c in client.cookies.items()
    ]
    context = browser.new_context(
        base_url=live_server.url, java_script_enabled=False, viewport={"width": 390, "height": 900}
    )
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto("/")

    page.get_by_role("button", name="More").click()

    assert page.get_by_role("button", name="Sign out").is_visible()
    context.close()
