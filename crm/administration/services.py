"""Saving users and teams, with the rules that ask for more than one of them."""


def save_user(user):
    """
    Save a user, a new one without a password; inside an operation.

    :raises WouldMakeCycle: the manager reports to him
    :raises LastAdministrator: nobody would be left who can administer
    """
    user.check_manager()
    user.check_last_admin()
    if user.pk is None:
        user.set_unusable_password()
    user.save()


def save_team(team):
    """
    Save a team; inside an operation.

    :raises WouldMakeCycle: it would stand below itself
    :raises TooDeep: the teams would stand in too many levels
    """
    team.check_parent()
    team.save()
