"""Events of the sample organisation, and what its chapters share."""

import datetime
from dataclasses import dataclass

from core.journal import Kind, Label
from crm.demo.records import Drawing


@dataclass(frozen=True)
class Event:
    """One thing that somebody did at a moment; ``do`` is called inside its operation."""

    at: datetime.datetime
    by: object
    label: Label
    do: object
    kind: str = Kind.DEMO


class Book:
    """What is drawn and what happens, told by the chapters one after the other."""

    def __init__(self, people, now):
        self.people = people  # users by login
        self.drawing = Drawing(people, now)
        self.events = []
        self.households = []

    def with_several_people(self):
        """The households of more than one person."""
        return [household for household in self.households if len(household.members) > 1]

    def in_order(self):
        """All events, the oldest first."""
        return sorted(self.events, key=lambda event: event.at)


class Chapter:
    """A part of the book: draws records and adds the events in which they are written."""

    def __init__(self, book):
        self.book = book
        self.people = book.people
        self.drawing = book.drawing
        self.rng = book.drawing.rng
        self.calendar = book.drawing.calendar

    def add(self, at, by, message, do, *, kind=Kind.DEMO, **named):
        """Add an event; its label is ``message`` with the records that it names."""
        at = min(at, self.calendar.now)
        self.book.events.append(Event(at, by, Label(message, **named), do, kind))
