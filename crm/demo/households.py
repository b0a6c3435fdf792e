"""The sample accounts in their hierarchies, their people, and who went where."""

import datetime
from dataclasses import dataclass

from django.utils.translation import gettext_noop

from accounts.models import Account
from contacts.models import AccountContactRelation, Contact
from contacts.services import JobChange, change_job, end_relation, relate, set_direct_accounts
from core.journal import Kind
from crm.demo import material
from crm.demo.events import Chapter
from crm.demo.people import SELLERS
from crm.demo.records import PLACE_OF, domain_for


@dataclass(frozen=True)
class Member:
    """A person of an account, with what the relation says."""

    contact: Contact
    start: datetime.date
    roles: list


@dataclass(frozen=True)
class Household:
    """An account with its people."""

    account: Account
    place: material.Place
    members: list

    @property
    def people(self):
        return [member.contact for member in self.members]


class Households(Chapter):
    """Who is a customer or may become one."""

    def tell(self):
        self.groups()
        self.single_accounts()
        self.work_at_several()

    def groups(self):
        for number, group in enumerate(material.GROUPS):
            age = 300 - 4 * number
            levels = [
                [self.household(account, age) for account in level]
                for level in self.levels_of(group)
            ]
            self.found(levels, age)

    def levels_of(self, group):
        """The accounts of a group by their level, parents first."""
        levels, waiting = [], [(group, None)]
        while waiting:
            level, below = [], []
            for (name, industry, place, children), parent in waiting:
                account = self.drawing.account(name, industry, place, parent=parent)
                level.append(account)
                below += [(child, account) for child in children]
            levels.append(level)
            waiting = below
        return levels

    def single_accounts(self):
        """The other accounts; who sells in a country found several of them on one day."""
        age = 285
        for countries in SELLERS.values():
            rows = [row for row in material.SINGLES if row[2].country in countries]
            for start in range(0, len(rows), 4):
                accounts = [self.drawing.account(*row) for row in rows[start : start + 4]]
                self.found([[self.household(account, age) for account in accounts]], age)
                age -= 5
        for place, family in material.PRIVATE_BUYERS:
            account, contact = self.drawing.private_account(place, family)
            member = Member(contact, self.calendar.day(-age), [])
            self.found([[Household(account, place, [member])]], age)

    def household(self, account, age):
        """An account with one to three people, who were there before we knew them."""
        place = PLACE_OF[account.billing_country]
        domain = domain_for(account.name)
        members = []
        for _number in range(self.rng.randint(1, 3)):
            contact = self.drawing.contact(place, domain=domain)
            start = self.calendar.day(-age - self.rng.randint(30, 2500))
            members.append(Member(contact, start, roles_of(contact)))
        return Household(account, place, members)

    def found(self, levels, age):
        """The event in which accounts, level by level, and their people are entered."""
        at = self.calendar.moment(age)
        households = [household for level in levels for household in level]
        for household in households:
            household.account.created_at = at
            for contact in household.people:
                contact.account, contact.created_at = household.account, at
        self.book.households += households

        def write(op):
            for level in levels:
                Account.objects.bulk_create([household.account for household in level])
            write_people(households)

        first = households[0].account
        label = gettext_noop("Added %(account)s and what belongs to it")
        self.add(at, first.owner, label, write, account=first)

    def work_at_several(self):
        """Some people work for two accounts, some have moved, some relations are over."""
        grown = self.book.with_several_people()
        for number in range(12):
            home, other = grown[number * 3 % len(grown)], grown[(number * 3 + 7) % len(grown)]
            self.relate_also(
                home.people[-1], other.account, age=70 - 2 * number, ends=number % 3 == 0
            )
        for number in range(5):
            home = grown[(number * 4 + 1) % len(grown)]
            other = grown[(number * 4 + 12) % len(grown)]
            self.move_job(home.people[0], other.account, age=40 - 7 * number)

    def relate_also(self, contact, account, *, age, ends):
        at, manager = self.calendar.moment(age), self.people["tomas"]
        start = self.calendar.day(-age - 400)
        roles = [self.rng.choice(("Advisor", "Board Member", "Evaluator"))]

        def write(op):
            relate(contact, account, roles=roles, title_there=roles[0], start_date=start)

        def end(op):
            relation = account.relations.active().get(contact=contact)
            date = self.calendar.day(-age + 15)
            end_relation(relation, by=manager, end_date=date)

        names = {"contact": contact, "account": account}
        label = gettext_noop("Related %(contact)s to %(account)s")
        self.add(at, manager, label, write, kind=Kind.RELATE, **names)
        if ends:
            at = self.calendar.moment(age - 16)
            label = gettext_noop("Ended the relation of %(contact)s to %(account)s")
            self.add(at, manager, label, end, kind=Kind.RELATE, **names)

    def move_job(self, contact, account, *, age):
        at, by = self.calendar.moment(age), self.people["tomas"]
        change = JobChange(
            date=at.date(),
            title=self.rng.choice(material.TITLES),
            email=self.drawing.mail(
                {"first_name": contact.first_name, "last_name": contact.last_name},
                domain_for(account.name),
            ),
            keeps_old_email=True,
        )
        label = gettext_noop("%(contact)s went to %(account)s")
        self.add(
            at,
            by,
            label,
            lambda op: change_job(contact, account=account, by=by, change=change),
            kind=Kind.JOB_CHANGE,
            contact=contact,
            account=account,
        )


def roles_of(contact):
    """What a person's title says about the say at the account."""
    roles = ["Decision Maker"] if contact.title in material.DECIDERS else []
    return roles + (["Technical Buyer"] if "Manager" in contact.title else [])


def write_people(households):
    """Write people with the relations to their accounts; the first one of each is primary."""
    members = [member for household in households for member in household.members]
    contacts = [member.contact for member in members]
    Contact.objects.bulk_create(contacts)
    set_direct_accounts({contact: contact.account for contact in contacts})
    by_key = {member.contact.pk: member for member in members}
    primary = {household.people[0].pk for household in households}
    found = AccountContactRelation.objects.filter(contact__among=list(by_key)).order_by("pk")
    relations = list(found)
    for relation in relations:
        member = by_key[relation.contact_id]
        relation.start_date, relation.roles = member.start, member.roles
        relation.is_primary_for_account = relation.contact_id in primary
    AccountContactRelation.objects.bulk_update(
        relations, ["start_date", "roles", "is_primary_for_account"]
    )
    write_superiors(households)


def write_superiors(households):
    """Where three or more work, they report to the first one."""
    reporting = []
    for household in households:
        superior, *others = household.people
        if len(others) > 1:
            for contact in others:
                contact.reports_to = superior
            reporting += others
    Contact.objects.bulk_update(reporting, ["reports_to"])
