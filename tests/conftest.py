import os
import shutil

import hypothesis
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, sync_playwright

from core.models import Organisation
from tests.factories.users import PASSWORD, TeamFactory, UserFactory
from users.models import Role

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")

# The same examples in every run, and no time limit: both machines and databases differ in speed.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_addoption(parser):
    parser.addoption(
        "--require-browser",
        action="store_true",
        help="fail, instead of skipping, if there is no browser for the browser tests",
    )


@pytest.fixture
def team(db):
    return TeamFactory(name="North")


@pytest.fixture
def manager(team):
    user = UserFactory(name="Mia Manager", email="mia@example.com", role=Role.MANAGER, team=team)
    team.manager = user
    team.save()
    return user


@pytest.fixture
def rep(team, manager):
    return UserFactory(
        name="Rae Rep", email="rae@example.com", role=Role.REP, team=team, manager=manager
    )


@pytest.fixture
def stranger(db):
    """A representative of another team: nothing of the rep's is within reach."""
    team = TeamFactory(name="South")
    return UserFactory(name="Sam Stranger", email="sam@example.com", role=Role.REP, team=team)


@pytest.fixture
def reaches(db):
    """Let the organisation decide how far rights reach: ``reaches(account_read=TEAM)``."""

    def reaches(**defaults):
        Organisation.objects.filter(pk=1).update(**defaults)

    return reaches


@pytest.fixture
def every_default(reaches):
    """Let all rights reach as far: ``every_default(Scope.OWN)``."""

    def every_default(scope):
        kinds = ("account", "contact", "lead", "opportunity")
        reaches(**{f"{kind}_{what}": scope for kind in kinds for what in ("read", "edit")})

    return every_default


@pytest.fixture
def admin(db):
    return UserFactory(name="Ada Admin", email="ada@example.com", role=Role.ADMIN)


@pytest.fixture(scope="session")
def browser(request):
    """One Chromium for the whole run: CHROMIUM names it, else the system's, else Playwright's."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except Error as error:
            reason = f"no browser: install chromium, or set CHROMIUM ({error.message})"
            if request.config.getoption("--require-browser"):
                pytest.fail(reason)
            pytest.skip(reason)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, live_server, request):
    """
    A page of its own for the test, on the test's server.

    What the browser complains about fails the test: errors of scripts, refused policies,
    requests that failed. A test that provokes answers of 4xx marks itself with their statuses:
    ``@pytest.mark.answers(409, 422)``.
    """
    mark = request.node.get_closest_marker("answers")
    statuses = mark.args if mark else ()
    expected = [f"the server responded with a status of {status}" for status in statuses]
    expected += [f"Response Status Error Code {status}" for status in statuses]  # by htmx
    # Of a request that a newer one replaced; one that failed is told by another message, too.
    expected += ["htmx:afterRequest", "htmx:sendAbort"]
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints = []

    def note(message):
        if message.type in ("error", "warning") and not any(
            words in message.text for words in expected
        ):
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def log_in(page):
    """Log a user in on the page as people do it: ``log_in(rep)``."""

    def log_in(user, *, password=PASSWORD):
        page.goto("/login/")
        page.get_by_label("E-mail").fill(user.email)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/login/" not in url)

    return log_in


@pytest.fixture
def accessible(page):
    """Check the page as it stands with axe, light and dark: ``accessible()``."""

    def accessible():
        page.wait_for_load_state()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            # Preloading would put our style sheets into the page again, against the policy.
            results = Axe().run(page, options={"preload": False})
            assert results.violations_count == 0, results.generate_report()
        page.emulate_media(color_scheme="light")

    return accessible
