"""The users of the sample organisation and their teams; they stay when the rest is undone."""

from django.contrib.auth.hashers import make_password
from django.utils.translation import gettext_noop

from core.journal import Kind, Label, operation
from users.models import Role, Team, User

# For an organisation that nobody outside this machine can reach; printed at each start.
PASSWORD = "everything can be undone"

# Name, the team that it is part of.
TEAMS = (("Sales", None), ("North", "Sales"), ("South", "Sales"))

# Login, name, role, team, manager, time zone; of each role the first one shows it best.
USERS = (
    ("nadia", "Nadia Haddad", Role.ADMIN, None, None, "Europe/London"),
    ("tomas", "Tomás Ferreira", Role.MANAGER, "Sales", None, "Europe/London"),
    ("ingrid", "Ingrid Halvorsen", Role.MANAGER, "North", "tomas", "Europe/Stockholm"),
    ("paolo", "Paolo Venturi", Role.MANAGER, "South", "tomas", "Europe/Rome"),
    ("owen", "Owen Griffiths", Role.REP, "North", "ingrid", "Europe/London"),
    ("saga", "Saga Nyström", Role.REP, "North", "ingrid", "Europe/Stockholm"),
    ("lukas", "Lukas Arendt", Role.REP, "North", "ingrid", "Europe/Berlin"),
    ("elena", "Elena Marković", Role.REP, "South", "paolo", "Europe/Rome"),
    ("rafael", "Rafael Ortega", Role.REP, "South", "paolo", "Europe/Madrid"),
    ("priya", "Priya Raman", Role.SDR, "North", "ingrid", "Europe/London"),
    ("yusuf", "Yusuf Demir", Role.SDR, "South", "paolo", "Europe/Rome"),
    ("chloe", "Chloé Lambert", Role.MARKETING, "Sales", "tomas", "Europe/Paris"),
    ("kwame", "Kwame Boateng", Role.SUPPORT, None, None, "Europe/London"),
    ("hiroko", "Hiroko Tanabe", Role.READ_ONLY, None, None, "Asia/Tokyo"),
)
MANAGED = {"Sales": "tomas", "North": "ingrid", "South": "paolo"}
SELLERS = {"owen": ("GB", "US"), "saga": ("SE", "PL"), "lukas": ("DE", "NL"),
           "elena": ("IT", "JP", "IN"), "rafael": ("ES", "FR", "NG")}  # fmt: skip


def email_of(login):
    """The address with which somebody of the sample organisation signs in."""
    return f"{login}@example.com"


def make_people():
    """
    Write the users and teams that are missing: {login: User}.

    Not part of the run, because what acts for the journal stays: users are never removed. Where
    other people have accounts already the sample users get no password, for this one is known
    to everybody.
    """
    emails = {login: email_of(login) for login, *_rest in USERS}
    others = User.objects.exclude(email__in=emails.values()).exists()
    password = make_password(None if others else PASSWORD)
    with operation(Kind.CREATE, by=None, label=Label(gettext_noop("Added the sample users"))):
        teams = _make_teams()
        known = {user.email: user for user in User.objects.filter(email__in=emails.values())}
        people = {}
        for login, name, role, team, manager, zone in USERS:
            people[login] = known.get(emails[login]) or User.objects.create(
                email=emails[login],
                name=name,
                role=role,
                team=teams.get(team),
                manager=people.get(manager),
                time_zone=zone,
                password=password,
            )
        for team, login in MANAGED.items():
            if teams[team].manager_id is None:
                teams[team].manager = people[login]
                teams[team].save(update_fields=["manager"])
    return people


def _make_teams():
    teams = {team.name: team for team in Team.objects.filter(name__in=dict(TEAMS))}
    for name, parent in TEAMS:
        if name not in teams:
            teams[name] = Team.objects.create(name=name, parent=teams.get(parent))
    return teams
