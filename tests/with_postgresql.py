"""
Run a command with a PostgreSQL database: ``python -m tests.with_postgresql COMMAND …``.

The server is the one that DATABASE_URL names, else the one that answers on this machine without
a password, else one that is started for the command in a folder of its own and removed again.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psycopg

import tests.environment  # noqa: F401 - what the settings ask for with PostgreSQL

FASTER = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"


def main(command):
    if os.environ.get("DATABASE_URL"):
        return run(command, os.environ["DATABASE_URL"])
    if answers("postgres://postgres@127.0.0.1:5432"):
        return run(command, own_database("postgres://postgres@127.0.0.1:5432"))
    with throw_away_server() as server:
        return run(command, own_database(server))


def run(command, url):
    print(f"PostgreSQL: {url.rpartition('@')[2]}", flush=True)
    return subprocess.run(command, env=os.environ | {"DATABASE_URL": url}).returncode


def own_database(server):
    """A name that no other run on the same server uses; the test run creates and drops it."""
    return f"{server}/topsail_{os.getpid()}"


def answers(server):
    try:
        psycopg.connect(f"{server}/postgres", connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def throw_away_server():
    programs = find_programs()
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="topsail-postgresql-"))
    if user:
        shutil.chown(folder, user)
    data, port = folder / "data", free_port()

    def call(program, *args):
        subprocess.run(
            [programs / program, *args],
            user=user,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' {FASTER}"
    log = folder / "log"
    try:
        call("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale")
        call("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")
        try:
            yield f"postgres://postgres@127.0.0.1:{port}"
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_programs():
    """The folder that holds both initdb and pg_ctl: on the PATH, or where Debian keeps them."""
    on_path = [Path(folder) for folder in os.get_exec_path()]
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in [*on_path, *debian]:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    sys.exit("No PostgreSQL found: install its server, or set DATABASE_URL to a running one.")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
