import os
import sys

from django.core.management import call_command
from django.core.management.base import BaseCommand

from crm.demo import PASSWORD
from users.models import Role, User

SHOWN = (Role.REP, Role.MANAGER, Role.ADMIN)


class Command(BaseCommand):
    help = "Prepare the database, load the sample organisation into an empty one, and serve it."

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args, port, **options):
        call_command("migrate", verbosity=0)
        if not User.objects.exists():
            self.stdout.write("Loading the sample organisation …")
            call_command("load_demo")
        self.stdout.write(f"\nTopsail runs at http://127.0.0.1:{port}/ — Ctrl C stops it.\n")
        self.stdout.write(self.log_ins())
        self.stdout.flush()
        # Replaces this process, so that the signals of the terminal reach the server.
        server = ["gunicorn", "crm.wsgi", "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
        os.environ.setdefault("LOG_LEVEL", "WARNING")  # the lines above stay in sight
        os.execv(sys.executable, [sys.executable, "-m", *server])

    def log_ins(self):
        """One line for each kind of user to look at the product with."""
        lines = [f"Sign in with the password “{PASSWORD}” as"]
        for role in SHOWN:
            user = User.objects.active().filter(role=role).order_by("pk").first()
            if user is not None:
                lines.append(f"  {user.email:<34} {user.name}, {role.label.lower()}")
        return "\n".join(lines) + "\n"
