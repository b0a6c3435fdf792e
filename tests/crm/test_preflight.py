import shutil
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, models
from django.db.migrations.recorder import MigrationRecorder

from leads.models import Lead
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db


def refused():
    with pytest.raises(SystemExit) as found:
        call_command("preflight")
    return found.value.code == 1


def test_preflight_of_a_sound_installation_says_ready(capsys):
    call_command("preflight")

    said = capsys.readouterr().out
    assert "Ready." in said
    assert "migrations  none pending" in said
    assert "all invariants hold" in said


def test_preflight_lists_what_migrate_will_do_and_asks_no_data(capsys):
    MigrationRecorder(connection).record_unapplied("core", "0001_initial")

    call_command("preflight")

    said = capsys.readouterr().out
    assert "core.0001_initial pending" in said
    assert "invariants" not in said


def test_preflight_refuses_data_that_offends(capsys):
    models.QuerySet(Lead).filter(pk=LeadFactory().pk).update(version=9)

    assert refused()
    assert "Not ready: data." in capsys.readouterr().out


def test_preflight_refuses_a_full_disk(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1024**3))

    assert refused()
    assert "! 1.0 GB are free" in capsys.readouterr().out


def test_preflight_refuses_a_database_that_is_away(capsys):
    def away(*args):
        raise OperationalError("away")

    with connection.execute_wrapper(away):
        assert refused()
    assert "! does not answer" in capsys.readouterr().out


def test_preflight_refuses_settings_that_are_not_sound(settings, capsys):
    settings.HTTPS = True
    settings.SECRET_KEY = "short"

    assert refused()
    assert "security.W009" in capsys.readouterr().out
