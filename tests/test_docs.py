"""What code and pages refer to in the documentation is there."""

import re
from pathlib import Path

import pytest

from core.checks import all_checks
from tests.test_architecture import LEVEL, ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CITING = sorted(
    path
    for folder in [*LEVEL, "tests", "templates"]
    for path in (ROOT / folder).rglob("*.*")
    if path.suffix in {".py", ".html"}
)
CITED = re.compile(r"docs/[\w/-]+\.md")
SECTIONS = re.compile(
    r'(docs/[\w/-]+\.md),\s+sections?\s+(\d+(?:\s*(?:,|and|to|-)\s*\d+)*|"[^"]+")'
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def headings_of(page):
    return re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)


def sections_of(text):
    """The headings that a citation names: numbers, ranges of them, or a title in quotes."""
    if text.startswith('"'):
        return {text.strip('"')}
    span = re.fullmatch(r"(\d+)\s*(?:to|-)\s*(\d+)", text)
    if span:
        return {str(number) for number in range(int(span[1]), int(span[2]) + 1)}
    return set(re.findall(r"\d+", text))


def test_pages_that_code_cites_are_there():
    missing = {
        (str(path.relative_to(ROOT)), page)
        for path in CITING
        for page in CITED.findall(path.read_text())
        if not (ROOT / page).is_file()
    }
    assert missing == set()


def test_sections_that_code_cites_are_there():
    missing = []
    for path in CITING:
        for page, text in SECTIONS.findall(path.read_text()):
            if not (ROOT / page).is_file():
                continue
            headings = headings_of(page)
            known = {heading.partition(".")[0] for heading in headings} | set(headings)
            for section in sections_of(text) - known:
                missing.append((str(path.relative_to(ROOT)), page, section))
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_of_the_project(page):
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_name_commands_that_exist(page):
    own = {path.stem for app in LEVEL for path in ROOT.glob(f"{app}/management/commands/*.py")}
    django = {"migrate", "makemigrations", "createsuperuser", "clearsessions", "check", "test"}

    named = set(re.findall(r"manage\.py (\w+)", page.read_text()))

    assert named - own - django == set()


def test_rules_are_numbered_without_a_gap():
    for page in sorted((ROOT / "docs/rules").glob("*.md")):
        numbers = [int(n) for n in re.findall(r"^## (\d+)\.", page.read_text(), re.MULTILINE)]
        assert numbers == list(range(1, len(numbers) + 1)), Path(page).name


def test_settings_page_names_every_variable():
    settings = (ROOT / "crm/settings.py").read_text()
    read = set(re.findall(r'env(?:\.\w+)?\(\s*"(\w+)"', settings))

    told = set(re.findall(r"^\| `(\w+)`", (ROOT / "docs/admin/settings.md").read_text(), re.M))

    assert read - told == set()


def test_page_of_invariants_names_every_check():
    told = set()
    page = (ROOT / "docs/rules/invariants.md").read_text()
    for row in re.findall(r"^\| (I\d.*?) \|", page, re.M):
        for first, last in re.findall(r"I(\d+)(?:–I(\d+))?", row):
            told |= {f"I{number:02}" for number in range(int(first), int(last or first) + 1)}

    assert {check.id for check in all_checks()} - told == set()


def test_settings_page_names_variables_that_are_read():
    files = ("crm/settings.py", "docker-compose.yml", "Dockerfile")
    text = "\n".join((ROOT / name).read_text() for name in files)

    told = re.findall(r"^\| `(\w+)`", (ROOT / "docs/admin/settings.md").read_text(), re.M)

    # Django's own command reads it.
    assert {name for name in told if name not in text} == {"DJANGO_SUPERUSER_PASSWORD"}


def test_page_of_security_names_tests_that_exist():
    page = (ROOT / "docs/admin/security.md").read_text()
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", page)

    assert len(named) > 60
    wrong = [
        (path, name)
        for path, name in named
        if f"def {name}(" not in (ROOT / "tests" / path).read_text()
    ]
    assert wrong == []
