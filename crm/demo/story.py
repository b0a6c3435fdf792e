"""
What happened in the sample organisation, in the order in which it happened.

Each event is an operation of the run with a moment of its own: histories, stage times and
"recently changed" then read as if people had worked here for most of a year.
"""

from decimal import Decimal

from django.utils.translation import gettext_noop

from core.models import ExchangeRate, Organisation
from crm.demo import material
from crm.demo.deals import Deals
from crm.demo.events import Book, Chapter
from crm.demo.households import Households
from crm.demo.leads import Leads

ORGANISATION = "Merrow Metering"


def tell(people, now):
    """The events of the sample organisation, the oldest first; nothing is written yet."""
    book = Book(people, now)
    for chapter in (Settings, Households, Deals, Leads):
        chapter(book).tell()
    return book.in_order()


class Settings(Chapter):
    """The organisation itself."""

    def tell(self):
        label = gettext_noop("Set up the sample organisation")
        self.add(self.calendar.moment(330), self.people["nadia"], label, self.write)

    def write(self, op):
        """The organisation's name, if it has none of its own, and rates against its currency."""
        organisation = Organisation.current()
        if organisation.name == Organisation._meta.get_field("name").default:
            Organisation.objects.filter(pk=1).update(name=ORGANISATION)
        home = organisation.default_currency
        known = set(ExchangeRate.objects.values_list("currency", "valid_from"))
        this_month = self.calendar.today.replace(day=1)
        days = (self.calendar.day(-400), this_month)
        rates = [
            ExchangeRate(currency=currency, valid_from=day, rate=rate / Decimal(of_home[number]))
            for of_home in [material.RATES.get(home, ("1", "1"))]
            for currency, units in material.RATES.items()
            for number, day in enumerate(days)
            for rate in [Decimal(units[number])]
            if currency != home and home in material.RATES and (currency, day) not in known
        ]
        ExchangeRate.objects.bulk_create(rates)
