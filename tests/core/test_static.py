"""The front end's files: small, complete, known. Colours, classes: tests/test_architecture.py."""

import gzip
import hashlib
import json
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
STATIC = ROOT / "static"
STYLES = sorted(p for p in (STATIC / "css").rglob("*.css") if p.name != "topsail.css")
SCRIPTS = sorted([*(STATIC / "js").glob("*.js"), STATIC / "vendor/htmx.min.js"])
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
CODE = sorted(p for p in ROOT.glob("[a-z]*/**/*.py") if p.parts[len(ROOT.parts)] != "tests")

CSS_BUDGET = 20_000
SCRIPT_BUDGET = 60_000


def zipped_size(paths):
    return len(gzip.compress(b"\n".join(path.read_bytes() for path in paths)))


def vendored():
    rows = (STATIC / "vendor/README.md").read_text().splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if "|" in row]
    return {row[0]: row[5] for row in cells[2:]}


def test_app_css_imports_every_file_once():
    imported = re.findall(r'@import "(.+?)"', (STATIC / "css/app.css").read_text())

    present = [str(path.relative_to(STATIC / "css")) for path in STYLES if path.name != "app.css"]
    assert sorted(imported) == sorted(present)


def test_css_stays_within_its_budget():
    assert zipped_size(STYLES) <= CSS_BUDGET


def test_scripts_stay_within_their_budget():
    assert zipped_size(SCRIPTS) <= SCRIPT_BUDGET


def test_vendored_files_are_those_of_the_readme():
    files = {
        str(path.relative_to(STATIC / "vendor")): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (STATIC / "vendor").rglob("*.*")
        if path.suffix in {".js", ".svg", ".woff2", ".css"}
    }
    assert files == vendored()


def test_every_icon_is_in_the_sprite():
    sprite = set(re.findall(r'<symbol id="(.+?)"', (STATIC / "vendor/icons.svg").read_text()))
    texts = [path.read_text() for path in [*TEMPLATES, *CODE]]
    named = (r'{% icon "(.+?)"', r'\bicon="([a-z][\w-]*)"', r'"icon": "(.+?)"')
    used = {name for text in texts for pattern in named for name in re.findall(pattern, text)}

    assert used - sprite == set()


def test_htmx_runs_no_code_asks_nobody_else_and_keeps_no_page():
    """Its cache of pages outlives the log-out: it stands in the browser's storage."""
    config = (ROOT / "templates/core/_htmx_config.html").read_text()
    found = json.loads(re.search(r"content='(.*?)'", config)[1])

    wanted = {
        "allowEval": False,
        "allowScriptTags": False,
        "historyCacheSize": 0,
        "includeIndicatorStyles": False,
        "selfRequestsOnly": True,
    }
    assert {name: found.get(name) for name in wanted} == wanted
