"""
Every page that can be opened, in a browser: for readers of any kind, in both themes, on a phone.

The pages come from the URL resolver, so that a new one is looked at unnamed.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browsing import Walk
from tests.laboratory import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK, PHONE, NARROW = 1440, 390, 320
# Preloading would put our style sheets into the page again, against the policy.
EVERY_RULE = {"preload": False, "resultTypes": ["violations"]}
# What another theme can change.
COLOURS = EVERY_RULE | {"runOnly": ["color-contrast", "link-in-text-block"]}
WIDTH = "document.documentElement.scrollWidth"


@pytest.fixture
def look(page):
    """Look at the page at an address in all ways; what is wrong with it, in words."""

    def look(address):
        page.set_viewport_size({"width": DESK, "height": 900})
        page.goto(address)
        expect(page.locator(".htmx-request")).to_have_count(0)  # what is being loaded is dimmed
        yield from faults("at a desk", EVERY_RULE)
        page.emulate_media(color_scheme="dark")
        yield from faults("in the dark", COLOURS)
        page.emulate_media(color_scheme="light")
        if (count := page.locator("h1").count()) != 1:
            yield f"{count} headings h1"
        page.set_viewport_size({"width": PHONE, "height": 844})
        yield from faults("on a phone", EVERY_RULE)
        for width in (PHONE, NARROW):
            page.set_viewport_size({"width": width, "height": 844})
            if (wide := page.evaluate(WIDTH)) > width:
                yield f"{wide} pixels wide on {width}"

    def faults(where, options):
        for violation in Axe().run(page, options=options).response["violations"]:
            nodes = [node["html"][:200] for node in violation["nodes"][:3]]
            yield f"{violation['id']} {where}: {nodes}"

    return look


def looked_at(addresses, look):
    """How many pages were looked at; fails with everything that is wrong."""
    addresses = list(addresses)
    wrong = [f"{address}: {fault}" for address in addresses for fault in look(address)]
    assert not wrong, "\n".join(wrong)
    return len(addresses)


def test_pages_before_the_log_in_are_for_everybody(look):
    assert looked_at(Walk(World()).pages(None), look) > 3


def test_pages_of_an_administrator_are_for_everybody(look, log_in):
    world = World()
    log_in(world.admin)

    assert looked_at(Walk(world).pages(world.admin), look) > 80


def test_pages_of_a_representative_are_for_everybody(look, log_in):
    world = World()
    walk = Walk(world)
    seen_by_administrators = list(walk.pages(world.admin))
    log_in(world.rep)

    assert seen_by_administrators
    assert looked_at(walk.pages(world.rep), look) > 10


@pytest.mark.answers(403, 404)
def test_refusals_are_for_everybody(look, log_in):
    world = World()
    log_in(world.rep)
    hidden = [record.get_absolute_url() for record in world.hidden.values()]

    assert looked_at(["/nowhere/", "/leads/999999/", "/settings/users/", *hidden], look)
