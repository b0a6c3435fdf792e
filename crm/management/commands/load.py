import sys

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.test.utils import override_settings

from crm.bench.database import own_database
from crm.bench.filling import fill
from crm.bench.load import HOST, LoadFailed, measure_load, table_of_load


class Command(BaseCommand):
    help = (
        "Let people work at the same time on a database made for it and dropped, and tell what "
        "they waited; exit status 1 if the goal is missed."
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--size", type=int, default=100_000, help="how many leads")
        parser.add_argument("--users", type=int, default=60, help="how many people")
        parser.add_argument("--seconds", type=int, default=600, help="how long they work")
        parser.add_argument("--port", type=int, default=8089, help="for the server meanwhile")

    def handle(self, *args, size, users, seconds, port, **options):
        with override_settings(ALLOWED_HOSTS=[HOST], SECURE_SSL_REDIRECT=False), own_database():
            self.stderr.write(f"{connection.vendor}: {size:,} leads are written …")
            filling = fill(max(size, 1000))
            self.stderr.write(f"{users} people work for {seconds} seconds …")
            try:
                rows, failures = measure_load(filling, users=users, seconds=seconds, port=port)
            except LoadFailed as error:
                raise CommandError(str(error)) from error
        self.stdout.write(
            f"\n{connection.vendor}, {size:,} leads, {users} people, closed loop, ms\n"
        )
        for line in table_of_load(rows):
            self.stdout.write(line)
        for name, error, times in failures:
            self.stdout.write(f"! {name}: {error}, {times} times")
        if not rows[-1].is_good:
            sys.exit(1)
