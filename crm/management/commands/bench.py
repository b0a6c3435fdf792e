import gc
from functools import partial

from django.core.management.base import BaseCommand
from django.db import connection
from django.test import Client
from django.test.utils import override_settings

from crm.bench import calibration
from crm.bench.database import own_database
from crm.bench.filling import fill
from crm.bench.importing import ROWS, measure_import
from crm.bench.pages import Pages
from crm.bench.report import lines_of_import, table_of_pages
from crm.bench.timing import measure, measure_plain


class Command(BaseCommand):
    help = "Measure pages and import at the given sizes, in a database made for it and dropped."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument(
            "--size",
            "--sizes",
            dest="sizes",
            type=int,
            nargs="+",
            default=[10_000],
            metavar="N",
            help="how many leads, at least 1,000; with two sizes, growth is shown",
        )
        parser.add_argument("--pairs", type=int, default=9, help="how often each page is asked")
        parser.add_argument("--rows", type=int, default=ROWS, help="leads to import; 0 for none")
        parser.add_argument("--only", default="", help="only pages whose name holds this text")

    def handle(self, *args, sizes, pairs, rows, only, **options):
        found = {}
        with override_settings(DEBUG=False, ALLOWED_HOSTS=["localhost"]):
            for size in sorted({max(size, 1000) for size in sizes}):
                found[size] = self.measure(size, pairs=pairs, rows=rows, only=only)
        self.stdout.write(f"\n{connection.vendor}, median of {pairs} pairs, ! beyond the bound\n")
        for line in table_of_pages({size: figures for size, (figures, _import) in found.items()}):
            self.stdout.write(line)
        for size, (_figures, imported) in found.items():
            for line in lines_of_import(size, imported) if imported else ():
                self.stdout.write(line)

    def measure(self, size, *, pairs, rows, only):
        with own_database():
            self.say(f"{connection.vendor}: {size:,} leads are written …")
            filling = fill(size)
            gc.collect()
            gc.freeze()  # the collector of a server does not look at what filled the tables
            figures = self.measure_pages(filling, pairs=pairs, only=only)
            if not rows:
                return figures, None
            self.say(f"{rows:,} leads are imported …")
            return figures, measure_import(filling, rows=rows)

    def measure_pages(self, filling, *, pairs, only):
        where = {"SERVER_NAME": "localhost", "headers": {"accept-language": "en"}}
        client = Client(**where)
        client.force_login(filling.rep)
        https = override_settings(SECURE_SSL_REDIRECT=False)
        with https:
            plain = partial(calibration.plain_client(**where).get, calibration.PATH)
            self.say("Pages are measured …")
            figures = [measure_plain(plain, pairs=pairs)]
            for page in Pages(filling, client).all():
                if only in page.name:
                    figures.append(measure(page, plain, pairs=pairs))
        return figures

    def say(self, text):
        self.stderr.write(text)
        self.stderr.flush()
