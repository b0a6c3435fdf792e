"""
The records of the benchmark, the same each time, written without the journal.

For N leads there are N contacts, N / 2 accounts in hierarchies and N / 2 deals, of owners in
five teams; the largest account has a twentieth of all people and deals. Derived fields are
computed as always; what the journal would hold is left out, so the records' histories are
empty but for what the benchmark itself does.
"""

import datetime
from decimal import Decimal

from django.utils import timezone

from accounts.models import Account
from contacts.models import AccountContactRelation, Contact
from core.bulk import Maker, insert_rows, refresh_statistics
from core.journal import Kind, Label, operation
from leads.models import Conversion, Lead, LeadStatus, Phase
from opportunities.models import Opportunity, OpportunityContactRole, OpportunityStageHistory, Stage
from users.models import Role, Team, User

CHUNK = 5_000
TEAMS = 5
MEMBERS = 4
TREE = 31  # accounts in one hierarchy, each with two below it; every other one stands alone
BIG_SHARE = 20
KNOWN = 7
RARE, COMMON, NOTHING = "quillfeather", "gmbh", "zzyzx"
RARE_LEADS = 7
HOUR = datetime.timedelta(hours=1)

FIRST = ("Ada Ben Chloé Dev Elin Femi Gül Hugo Inès Jonas Kaja Luís Mina Noor Otto Paula Quinn "
         "Rosa Sven Tamsin Uma Viktor Wanda Xavier Yara Zoltán").split()  # fmt: skip
FAMILY = ("Abbott Bergström Castellani Dvořák Eriksen Fontaine Garvey Hoffmann Ibarra Jankowski "
          "Kessler Lindqvist Moreau Nakata Oyelaran Petrov Quist Rahman Sandoval Thorne Ueda "
          "Vermeulen Whitby Xu Yilmaz Zanetti").split()  # fmt: skip
TRADES = ("Alloy Bearing Cable Dairy Engine Filter Glass Harbour Insulation Joinery Kiln Lumber "
          "Meter Nozzle Optics Pump Quarry Rotor Sensor Turbine Valve Welding").split()  # fmt: skip
FORMS = ("Works", "Ltd", "GmbH", "AB", "SARL", "Inc.", "Partners", "Group")
CITIES = (("Hamburg", "DE"), ("Leeds", "GB"), ("Lyon", "FR"), ("Malmö", "SE"), ("Denver", "US"))
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
PHASES = (
    *(Phase.OPEN,) * 8,
    *(Phase.WORKING,) * 5,
    *(Phase.NURTURING,) * 2,
    Phase.QUALIFIED,
    *(Phase.CONVERTED,) * 2,
    *(Phase.DEAD,) * 2,
)


def fill(size):
    """Fill the empty database with what goes with ``size`` leads; gives the Filling."""
    filling = Filling(size)
    filling.run()
    return filling


class Filling:
    """
    Draws and writes the records; who looks at them afterwards are ``rep`` and ``admin``.

    The keys of a kind follow each other, so that records can name each other before they are
    written.
    """

    def __init__(self, size):
        self.size = size
        self.accounts = size // 2
        self.first = {}  # model -> the key of its first record
        self.now = timezone.now()
        self.today = timezone.localdate()

    def run(self):
        self.admin, self.owners = make_people()
        self.rep = self.owners[0]  # of one team in five
        self.statuses = {phase: LeadStatus.first(phase) for phase in Phase}
        self.stages = Stage.choices()
        kinds = (
            (Account, self.account, self.accounts),
            (Contact, self.contact, self.size),
            (AccountContactRelation, self.relation, self.size),
            (Opportunity, self.deal, self.accounts),
            (OpportunityContactRole, self.role, self.accounts),
            (OpportunityStageHistory, self.first_row, self.accounts),
            (Lead, self.lead, self.size),
        )
        for model, draw, count in kinds:
            self.insert(model, (draw(number) for number in range(count)))
        converted = (n for n in range(self.size) if self.phase(n) == Phase.CONVERTED)
        self.insert(Conversion, map(self.conversion, converted))
        refresh_statistics()

    def insert(self, model, drawn):
        """Insert a record of ``model`` for each of the ``drawn`` values, chunk by chunk."""
        maker, records, chunk = Maker(model), [], 1
        for values in drawn:
            records.append(maker.make(values))
            if len(records) == chunk:
                self.write(model, records)
                self.first.setdefault(model, records[0].pk)
                records, chunk = [], CHUNK
        self.write(model, records)

    def write(self, model, records):
        with operation(Kind.DEMO, by=self.admin, label=Label("")):
            if records:
                model.derive(records)
            insert_rows(model, [record.__dict__ for record in records])

    # -- what goes with a number --------------------------------------------------------------

    def key(self, model, number):
        """The key of the n-th record of ``model``, of the second one on also before it exists."""
        return self.first.get(model, 0) + number

    def number(self, record):
        """The n of the n-th record of its kind."""
        return record.pk - self.first[type(record)]

    def owner(self, number):
        return self.owners[mixed(number) % len(self.owners)]

    def age(self, number, count):
        """When the n-th of ``count`` records was made: evenly over two years, the last one now."""
        return self.now - datetime.timedelta(days=730) * ((count - number) / count)

    def phase(self, number):
        return PHASES[mixed(number, salt=1) % len(PHASES)]

    def account_of(self, number):
        """The number of the account of the n-th person or deal; each so many are the first's."""
        return 0 if number % BIG_SHARE == 0 else number % self.accounts

    def stamps(self, number, count):
        at = self.age(number, count)
        owner = self.owner(number)
        return {
            "owner": owner,
            "created_at": at,
            "created_by": owner,
            "updated_at": at,
            "updated_by": owner,
        }

    # -- records ------------------------------------------------------------------------------

    def account(self, number):
        city, country = CITIES[number % len(CITIES)]
        return {
            **self.stamps(number, self.accounts),
            **self.place(number),
            "name": company(number),
            "website": f"https://www.{domain(number)}",
            "phone": f"+44 20 7946 {number % 1000:04}",
            "type": "Customer",
            "industry": "Manufacturing",
            "billing_city": city,
            "billing_country": country,
            "employees": number % 5000,
            "annual_revenue": Decimal(number % 9000 * 10_000),
            "currency": "EUR",
        }

    def place(self, number):
        """Where the n-th account stands: in a tree in which each has two below it, or alone."""
        block, position = divmod(number, TREE)
        above = []
        while position and block % 2 == 0:
            position = (position - 1) // 2
            above.insert(0, self.key(Account, block * TREE + position))
        if not above:
            return {}
        path = "".join(f"{pk}/" for pk in above)
        return {
            "parent_id": above[-1],
            "root_id": above[0],
            "depth": len(above),
            "path": f"/{path}",
        }

    def contact(self, number):
        first, last = person(number)
        account = self.account_of(number)
        city, country = CITIES[account % len(CITIES)]
        return {
            **self.stamps(number, self.size),
            "first_name": first,
            "last_name": last,
            "account_id": self.key(Account, account),
            "reports_to_id": self.key(Contact, number - 1) if number % 4 == 3 else None,
            "title": f"Head of {TRADES[number % len(TRADES)]}",
            "email": f"person{number}@{domain(account)}",
            "phone": f"+44 20 7946 {number % 1000:04}",
            "mailing_city": city,
            "mailing_country": country,
        }

    def relation(self, number):
        return {
            "account_id": self.key(Account, self.account_of(number)),
            "contact_id": self.key(Contact, number),
            "is_direct": True,
        }

    def deal(self, number):
        stage = self.stages[number % len(self.stages)]
        made = self.age(number, self.accounts)
        lost = stage.is_lost
        return {
            **self.stamps(number, self.accounts),
            "name": f"{company(number)} {TRADES[number % len(TRADES)]}",
            "account_id": self.key(Account, self.account_of(number)),
            "stage": stage,
            "amount": Decimal(1000 + number % 500 * 100),
            "currency": "EUR",
            "close_date": self.today + datetime.timedelta(days=number % 300 - 100),
            "original_close_date": self.today,
            "probability": stage.probability,
            "forecast_category": stage.forecast_category,
            "is_closed": stage.is_closed,
            "is_won": stage.is_won,
            "stage_entered_at": made,
            "closed_at": made if stage.is_closed else None,
            "loss_reason": "Price" if lost else "",
        }

    def role(self, number):
        return {
            "opportunity_id": self.key(Opportunity, number),
            "contact_id": self.key(Contact, number),
            "is_primary": True,
        }

    def first_row(self, number):
        stage = self.stages[number % len(self.stages)]
        return {
            "opportunity_id": self.key(Opportunity, number),
            "at": self.age(number, self.accounts),
            "to_stage": stage,
            "to_amount": Decimal(1000 + number % 500 * 100),
            "to_probability": stage.probability,
            "to_forecast_category": stage.forecast_category,
            "to_close_date": self.today,
            "to_owner": self.owner(number),
        }

    def lead(self, number):
        """A lead; some work for an account that is known, seven for the rare company."""
        first, last = person(number * 3 + 1)
        phase = self.phase(number)
        made = self.age(number, self.size)
        is_rare = number % (self.size // RARE_LEADS) == 0
        employer = number // KNOWN if is_known(number) else self.accounts + number
        name = f"{RARE.title()} {number}" if is_rare else company(employer)
        city, country = CITIES[number % len(CITIES)]
        return {
            **self.stamps(number, self.size),
            "first_name": first,
            "last_name": last,
            "company": name,
            "title": f"Head of {TRADES[number % len(TRADES)]}",
            "email": f"lead{number}@{domain(employer)}",
            "phone": f"+44 20 7946 {number % 1000:04}",
            "mobile": f"+44 7700 {900_000 + number % 100_000}" if number % 4 == 0 else "",
            "secondary_email": f"lead{number}@mail.example" if number % 8 == 0 else "",
            "website": f"https://www.{domain(employer)}" if number % 3 == 0 else "",
            "city": city,
            "country": country,
            "currency": "EUR",
            "budget_currency": "EUR",
            "lead_source": SOURCES[number % len(SOURCES)],
            "interest": ("", "LOW", "HIGH")[number % 3],
            "timeline": ("", "WITHIN_3_MONTHS")[number % 2],
            "status": self.statuses[phase],
            "phase": phase,
            "status_changed_at": made + HOUR * (number % 200),
            "converted_at": made if phase == Phase.CONVERTED else None,
            "disqualify_reason": "Other" if phase == Phase.DEAD else "",
            "nurture_until": self.today if phase == Phase.NURTURING else None,
        }

    def conversion(self, number):
        account = self.account_of(number)
        return {
            "lead_id": self.key(Lead, number),
            "account_id": self.key(Account, account),
            "contact_id": self.key(Contact, number),
            "converted_at": self.age(number, self.size),
            "origin": Conversion.Origin.IMPORTED,
        }


def make_people():
    """The administrator, and the sellers team by team in turn: (admin, [user])."""
    label = Label("")
    with operation(Kind.DEMO, by=None, label=label):
        admin = User.objects.create(email="admin@bench.example", name="Admin", role=Role.ADMIN)
        teams = [Team.objects.create(name=f"Team {number}") for number in range(TEAMS)]
        people = [
            User.objects.create(
                email=f"seller{number}@bench.example",
                name=" ".join(person(number)),
                role=Role.REP,
                team=teams[number % TEAMS],
            )
            for number in range(TEAMS * MEMBERS)
        ]
    return admin, people


def mixed(number, salt=0):
    """A number without any order in it, the same each time (multiplicative hashing)."""
    return (number + salt * 40_503) * 2_654_435_761 % 2**32 >> 9


def is_known(number):
    """Whether the company of the n-th lead is an account."""
    return number % KNOWN == 0


def company(number):
    family = FAMILY[number % len(FAMILY)]
    trade = TRADES[number // 5 % len(TRADES)]
    return f"{family} {trade} {number} {FORMS[number // 3 % len(FORMS)]}"


def domain(number):
    return f"company{number}.example"


def person(number):
    return FIRST[number % len(FIRST)], FAMILY[number // 7 % len(FAMILY)]
