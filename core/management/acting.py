"""What commands share that do something in the name of a user."""

from django.core.management.base import BaseCommand, CommandError

from core.errors import DomainError
from core.journal import acting
from core.once import request_cache
from users.models import User


class ActingCommand(BaseCommand):
    """
    A command that acts for ``--user``, without one for the only active administrator.

    Implement ``act``; what the domain refuses ends the command with its message.
    """

    def add_arguments(self, parser):
        parser.add_argument(
            "--user", metavar="EMAIL", help="who does it; default: the only administrator"
        )

    def handle(self, *args, user, **options):
        by = acting_user(user)
        try:
            with request_cache(), acting(by):
                self.act(by=by, **options)
        except DomainError as error:
            raise CommandError(str(error)) from error

    def act(self, *, by, **options):
        """Do the command's work as ``by``."""
        raise NotImplementedError(f"{type(self).__module__} must say what it does in act().")


def acting_user(email):
    """The active user of this address; without one the only active administrator."""
    if email:
        user = User.objects.active().filter(email=email).first()
        if user is None:
            raise CommandError(f"There is no active user {email}.")
        return user
    admins = User.objects.admins().order_by("pk")[:2]
    if len(admins) != 1:
        raise CommandError("Say who does it: --user EMAIL.")
    return admins[0]
