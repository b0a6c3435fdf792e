# Everything that anyone has to run. Needs Python 3.11 or newer, git and make; on Debian also
# the package python3-venv. A mirror of the package index is set for pip and uv as usual
# (pip.conf, uv.toml); without uv the same lock is installed by pip alone, only slower.

PYTHON ?= python3
PORT ?= 8000
SIZE ?= 10000 100000
UV := uv==0.13.9
RUN := .venv/bin/python
READY := .venv/.ready

.PHONY: demo test test-postgres e2e fuzz backup-drill check format translate lock bench load
.DEFAULT_GOAL := demo

demo: $(READY)
	$(RUN) manage.py demo --port $(PORT)

test: $(READY)
	$(RUN) -m pytest -n auto $(ARGS)

test-postgres: $(READY)
	$(RUN) -m tests.with_postgresql $(RUN) -m pytest -n auto $(ARGS)

e2e: $(READY)
	$(RUN) -m pytest -m browser --require-browser $(ARGS)

# PostgreSQL needs its client programs, pg_dump and pg_restore.
backup-drill: $(READY)
	DATABASE_URL= $(RUN) -m pytest -m drill tests/crm/test_backup.py $(ARGS)
	$(RUN) -m tests.with_postgresql $(RUN) -m pytest -m drill tests/crm/test_backup.py $(ARGS)

# SEED=7 draws other requests, REQUESTS=100000 more of them.
fuzz: $(READY)
	$(RUN) -m pytest -m fuzz -n 2 -p no:logging --show-capture=no tests/test_fuzz.py $(ARGS)

check: export DATABASE_URL = sqlite://:memory:
check: $(READY)
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(RUN) -m djlint --lint --quiet templates
	$(RUN) manage.py makemigrations --check --dry-run
	DATABASE_URL=postgres://topsail:secret@database/topsail \
	SECRET_KEY=$$($(RUN) -c 'import secrets; print(secrets.token_urlsafe(64))') \
	ALLOWED_HOSTS=crm.example.com \
	$(RUN) manage.py check --deploy --fail-level WARNING
	! grep -nE 'https?://' requirements.lock requirements-dev.lock

format: $(READY)
	$(RUN) -m ruff format .
	$(RUN) -m ruff check --fix .
	$(RUN) manage.py join_styles

# Needs gettext (on Debian: apt install gettext); fill the gaps in locale/, then run it again.
translate: $(READY)
	$(RUN) manage.py makemessages -l de --no-obsolete --no-wrap --no-location -i .venv
	$(RUN) manage.py compilemessages -l de -i .venv

lock: $(READY)
	$(RUN) -m uv pip compile --quiet --universal --generate-hashes pyproject.toml -o requirements.lock
	$(RUN) -m uv pip compile --quiet --universal --generate-hashes --group dev pyproject.toml -o requirements-dev.lock

bench: $(READY)
	$(RUN) manage.py bench --size $(SIZE)
	$(RUN) -m tests.with_postgresql $(RUN) manage.py bench --size $(SIZE)

# On a quiet machine; LOAD="--seconds 60 --size 10000" for a first look.
load: $(READY)
	$(RUN) -m tests.with_postgresql $(RUN) manage.py load $(LOAD)

$(READY): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo 'Python 3.11 or newer is needed: make PYTHON=python3.12'; exit 1; }
	@test -x $(RUN) || $(PYTHON) -m venv .venv || \
	{ rm -rf .venv; echo 'The venv module is missing. On Debian: apt install python3-venv'; exit 1; }
	$(RUN) -m pip install --quiet --disable-pip-version-check $(UV) && \
	$(RUN) -m uv pip sync --quiet --python $(RUN) --require-hashes requirements-dev.lock || \
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
