"""The sample records as they are drawn: not saved, each with its owner and its place in time."""

import datetime
import random
from decimal import Decimal

from django.utils import timezone

from accounts.models import Account, Rating
from contacts.models import Contact, PreferredChannel
from core.normalise import name_key
from crm.demo import material
from crm.demo.people import SELLERS
from leads.models import Lead, LeadStatus, Phase
from opportunities.models import Opportunity

SEED = 20_117
PLACE_OF = {place.country: place for place in material.PLACES}
SELLER_OF = {country: login for login, countries in SELLERS.items() for country in countries}
QUALIFIERS = ("priya", "yusuf")
NORTH = ("owen", "saga", "lukas")
HOURS_OF_WORK = (8, 17)


class Calendar:
    """Working hours of the days before ``now``, in the organisation's time zone."""

    def __init__(self, now, rng):
        self.now = now
        self.today = timezone.localdate(now)
        self.rng = rng

    def moment(self, days_ago):
        """A moment of the working day ``days_ago``, or of the Friday before; never after now."""
        day = self.today - datetime.timedelta(days=days_ago)
        day -= datetime.timedelta(days=max(day.weekday() - 4, 0))
        time = datetime.time(self.rng.randint(*HOURS_OF_WORK), self.rng.randrange(60))
        at = timezone.make_aware(datetime.datetime.combine(day, time))
        return min(at, self.now - datetime.timedelta(minutes=self.rng.randint(2, 40)))

    def between(self, start, end):
        """A moment between two others, in working hours if there are any."""
        youngest, oldest = ((self.today - timezone.localdate(at)).days for at in (end, start))
        at = self.moment(self.rng.randint(youngest, max(oldest, youngest)))
        return min(max(at, start), max(start, end))

    def day(self, days_ahead):
        """The date ``days_ahead`` of today, negative for the past."""
        return self.today + datetime.timedelta(days=days_ahead)


class Drawing:
    """Draws sample records from one seed; ``people`` maps logins to users."""

    def __init__(self, people, now):
        self.rng = random.Random(SEED)
        self.people = people
        self.calendar = Calendar(now, self.rng)
        self.names_taken = set()
        self.companies_taken = set()

    # -- what all of them have ----------------------------------------------------------------

    def maybe(self, chance, value, *, otherwise=""):
        """``value`` with a chance of so many in a hundred."""
        return value if self.rng.randrange(100) < chance else otherwise

    def seller(self, place):
        """Who sells in a country."""
        return self.people[SELLER_OF[place.country]]

    def phone(self, place):
        """A number of the country's range for fiction; blank without one."""
        return "".join(str(self.rng.randrange(10)) if c == "#" else c for c in place.phone)

    def money(self, place, low, high):
        """An amount as people name it, between two amounts in dollars, in the place's currency."""
        rate = Decimal(material.RATES[place.currency][1])
        amount = Decimal(self.rng.randint(low, high)) * rate
        step = Decimal(10) ** (amount.adjusted() - 1)
        return (amount / step).quantize(Decimal(1)) * step

    def address(self, place, prefix=""):
        """An address in the country, as fields that begin with ``prefix``."""
        city, postal_code, state = self.rng.choice(place.cities)
        parts = {
            "street": self.rng.choice(place.streets),
            "city": city,
            "state": state,
            "postal_code": postal_code,
            "country": place.country,
        }
        return {f"{prefix}{name}": value for name, value in parts.items()}

    def name(self, place):
        """The names of a person who is not there yet, and a salutation for some."""
        while True:
            is_woman = self.rng.random() < 0.5
            first = self.rng.choice(place.women if is_woman else place.men)
            last = self.rng.choice(place.families)
            if (first, last) not in self.names_taken:
                self.names_taken.add((first, last))
                salutation = self.maybe(40, "Ms." if is_woman else "Mr.")
                return {"salutation": salutation, "first_name": first, "last_name": last}

    def mail(self, person, domain):
        """The address of a person at a company."""
        names = (person["first_name"], person["last_name"])
        return f"{'.'.join(name_key(name).replace(' ', '') for name in names)}@{domain}"

    # -- accounts and people ------------------------------------------------------------------

    def account(self, name, industry, place, *, parent=None):
        """An organisation."""
        employees = self.rng.choice((18, 45, 80, 120, 240, 380, 650, 1100, 2400))
        is_customer = self.rng.randrange(100) < 55
        return Account(
            name=name,
            parent=parent,
            owner=self.seller(place),
            industry=industry,
            type="Customer - Direct" if is_customer else "Prospect",
            status=Account.Status.ACTIVE if is_customer else Account.Status.TARGET,
            ownership=Account.Ownership.SUBSIDIARY if parent else Account.Ownership.PRIVATE,
            rating=self.maybe(60, self.rng.choice(Rating.values)),
            currency=place.currency,
            employees=employees,
            annual_revenue=self.money(place, employees * 90_000, employees * 220_000),
            account_number=self.maybe(70, f"M-{self.rng.randint(10_000, 99_999)}"),
            site=self.maybe(15, "Headquarters"),
            phone=self.phone(place),
            website=f"https://www.{domain_for(name)}",
            source=self.rng.choice(material.SOURCES),
            **self.address(place, "billing_"),
        )

    def private_account(self, place, family):
        """A private person who buys, with the contact that is the same person."""
        first = place.women[family]
        last = place.families[family]
        self.names_taken.add((first, last))
        contact = self.contact(place, {"first_name": first, "last_name": last}, domain="")
        account = Account(
            name=f"{first} {last}",
            kind=Account.Kind.INDIVIDUAL,
            owner=contact.owner,
            type="Customer - Direct",
            currency=place.currency,
            phone=contact.phone,
            source="Web",
            **self.address(place, "billing_"),
        )
        return account, contact

    def contact(self, place, person=None, *, domain):
        """A person who works in the country."""
        person = person or self.name(place)
        title = self.rng.choice(material.TITLES) if domain else ""
        opted_out = self.rng.randrange(100) < 4
        return Contact(
            **person,
            owner=self.seller(place),
            title=title,
            department=material.DEPARTMENTS.get(title, ""),
            email=self.mail(person, domain) if domain else "",
            phone=self.phone(place),
            mobile=self.maybe(50, self.phone(place)),
            language=place.language,
            time_zone=place.time_zone,
            preferred_channel=self.maybe(30, self.rng.choice(PreferredChannel.values)),
            interests=self.rng.sample(material.INTERESTS, self.rng.randint(0, 2)),
            lead_source=self.rng.choice(material.SOURCES),
            email_opt_out=opted_out,
            email_opt_out_at=self.calendar.moment(40) if opted_out else None,
            email_opt_out_source=Contact.OptOutSource.LINK if opted_out else "",
            **self.address(place, "mailing_"),
        )

    # -- leads --------------------------------------------------------------------------------

    def company(self, place):
        """The name and industry of a company that is not there yet."""
        while True:
            trade, industry = self.rng.choice(material.TRADES)
            name = f"{self.rng.choice(material.STEMS)} {trade}"
            if name not in self.companies_taken:
                self.companies_taken.add(name)
                return f"{name} {place.legal_form}", industry

    def lead(self, place, phase, age, *, company=("", ""), domain=""):
        """A lead that came ``age`` days ago and is in ``phase`` now, without its status yet."""
        person = self.name(place)
        source = self.rng.choice(material.SOURCES)
        came = self.calendar.moment(age)
        name, industry = company
        lead = Lead(
            **person,
            company=name,
            industry=industry,
            owner=self.lead_owner(place, phase, age),
            created_at=came,
            lead_source=source,
            source_detail=self.rng.choice(material.SOURCE_DETAILS.get(source, ("",))),
            capture_channel=CHANNELS.get(source, Lead.CaptureChannel.MANUAL),
            email=self.mail(person, domain or "postbox.example"),
            phone=self.maybe(80, self.phone(place)),
            mobile=self.maybe(25, self.phone(place)),
            website=f"https://www.{domain}" if domain and self.rng.random() < 0.6 else "",
            currency=place.currency,
            budget_currency=place.currency,
            language=place.language,
            time_zone=place.time_zone,
            email_opt_out=self.rng.randrange(100) < 3,
        )
        if lead.email_opt_out:
            lead.email_opt_out_at, lead.email_opt_out_source = came, Contact.OptOutSource.LINK
        if name:
            lead.title = self.rng.choice(material.TITLES)
            lead.department = material.DEPARTMENTS.get(lead.title, "")
            lead.employees = self.maybe(60, self.rng.randint(12, 900), otherwise=None)
        if self.rng.random() < 0.7:
            for field, value in self.address(place).items():
                setattr(lead, field, value)
        self.qualify(lead, place, phase)
        return lead

    def lead_owner(self, place, phase, age):
        """Young leads of the qualifiers, the others of who sells in the country."""
        seller = SELLER_OF[place.country]
        if phase in (Phase.OPEN, Phase.WORKING) and age > 1 and self.rng.random() < 0.35:
            return self.people[QUALIFIERS[0] if seller in NORTH else QUALIFIERS[1]]
        return self.people[seller]

    def qualify(self, lead, place, phase):
        """What is known of need, money, say and time; the more, the further the lead has come."""
        known = KNOWN[phase]
        rng = self.rng
        product, need = rng.choice(material.PRODUCTS)
        lead.product_interest = self.maybe(known + 30, product)
        lead.need = self.maybe(known, need)
        strong = phase == Phase.QUALIFIED
        levels = [Lead.Interest.MEDIUM, Lead.Interest.HIGH]
        lead.interest = self.maybe(known + 20, rng.choice(levels if strong else INTEREST_LEVELS))
        budgets = BUDGETS if strong else Lead.BudgetStatus.values
        lead.budget_status = self.maybe(known, rng.choice(budgets))
        if lead.budget_status in BUDGETS:
            lead.budget = self.money(place, 4_000, 90_000)
        decides = lead.title in material.DECIDERS or (strong and rng.random() < 0.4)
        authority = Lead.Authority.DECISION_MAKER if decides else Lead.Authority.INFLUENCER
        lead.authority = self.maybe(known, authority)
        spans = SOON if strong else Lead.Timeline.values
        lead.timeline = self.maybe(known, rng.choice(spans))
        lead.interests = rng.sample(material.INTERESTS, rng.randint(0, 2))
        lead.rating = self.maybe(known, RATING[phase])

    def enter(self, lead, phase, *, at):
        """Give ``lead`` the first status of ``phase`` as of ``at``, with what goes with it."""
        reason, note, until = "", "", None
        if phase == Phase.DEAD:
            reason, note = self.rng.choice(material.DISQUALIFIED)
        if phase == Phase.NURTURING:
            until = self.calendar.day(self.rng.choice((1, 3, 9, 20, 35, 50, 80)))
        lead.enter(LeadStatus.first(phase), at=at, reason=reason, note=note, until=until)
        if phase == Phase.OPEN:
            return
        answered = lead.created_at + datetime.timedelta(minutes=self.rng.randint(20, 60 * 26))
        lead.first_response_at = min(answered, at)
        lead.last_contacted_at = self.calendar.between(lead.first_response_at, self.calendar.now)
        reached = REACHED[phase]
        lead.lifecycle = reached[-1] if reached else Lead.Lifecycle.RAW
        for step in reached:
            setattr(lead, f"{step.lower()}_at", lead.first_response_at)

    # -- deals --------------------------------------------------------------------------------

    def deal(self, account, place, stage):
        """A deal of ``account``, without dates yet."""
        product, need = self.rng.choice(material.PRODUCTS)
        detail = self.rng.choice(("phase 1", "phase 2", "pilot", "main site", "all sites", ""))
        step = self.maybe(75, self.rng.choice(material.NEXT_STEPS))
        return Opportunity(
            name=f"{product}, {detail}" if detail else product,
            account=account,
            owner=account.owner,
            stage=stage,
            amount=self.maybe(94, self.money(place, 3_000, 140_000), otherwise=None),
            currency=account.currency,
            type=self.rng.choice(("New Customer", "Existing Customer - Upgrade")),
            lead_source=account.source,
            next_step=step,
            next_step_due=self.calendar.day(self.rng.randint(-3, 18)) if step else None,
            description=self.maybe(60, need),
        )


def domain_for(name):
    """The invented domain of a company: its folded name without the legal form."""
    return f"{name_key(name).replace(' ', '-')}.example"


CHANNELS = {
    "Web": Lead.CaptureChannel.WEB_FORM,
    "Email": Lead.CaptureChannel.EMAIL,
    "Chat": Lead.CaptureChannel.CHAT,
}
KNOWN = {  # of a hundred leads, how many have answered each question
    Phase.OPEN: 15,
    Phase.WORKING: 55,
    Phase.NURTURING: 60,
    Phase.QUALIFIED: 95,
    Phase.DEAD: 45,
}
RATING = {
    Phase.OPEN: Rating.WARM,
    Phase.WORKING: Rating.WARM,
    Phase.NURTURING: Rating.COLD,
    Phase.QUALIFIED: Rating.HOT,
    Phase.DEAD: Rating.COLD,
}
REACHED = {
    Phase.WORKING: (Lead.Lifecycle.MQL,),
    Phase.NURTURING: (Lead.Lifecycle.MQL,),
    Phase.QUALIFIED: (Lead.Lifecycle.MQL, Lead.Lifecycle.SAL, Lead.Lifecycle.SQL),
    Phase.DEAD: (),
}
INTEREST_LEVELS = (Lead.Interest.LOW, Lead.Interest.MEDIUM, Lead.Interest.HIGH)
BUDGETS = (Lead.BudgetStatus.PLANNED, Lead.BudgetStatus.APPROVED)
SOON = (
    Lead.Timeline.WITHIN_3_MONTHS,
    Lead.Timeline.WITHIN_6_MONTHS,
    Lead.Timeline.WITHIN_12_MONTHS,
)
