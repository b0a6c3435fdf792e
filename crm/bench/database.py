"""A database of the benchmark's own: never the one that the settings name."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from core.once import request_cache


@contextmanager
def own_database():
    """Make an empty, migrated and seeded database of the kind in the settings; drop it again."""
    name = connection.settings_dict["NAME"]
    with tempfile.TemporaryDirectory(prefix="topsail-bench-") as folder:
        if connection.vendor == "sqlite":
            connection.settings_dict["TEST"]["NAME"] = str(Path(folder) / "bench.sqlite3")
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            with request_cache():
                yield
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)


def environment():
    """The variables under which another process of the product uses this database."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{found['NAME']}"
    else:
        address = os.environ["DATABASE_URL"].rpartition("/")[0]
        url = f"{address}/{found['NAME']}"
    keys = {"SECRET_KEY": "only-for-the-benchmark", "ALLOWED_HOSTS": "localhost"}
    return os.environ | keys | {"DATABASE_URL": url}
