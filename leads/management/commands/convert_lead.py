from dataclasses import replace

from django.core.management.base import CommandError

from accounts.models import Account
from contacts.models import Contact
from core import display
from core.management.acting import ActingCommand
from leads.conversion import convert_lead, default_choices, plan_conversion
from leads.conversion.choices import Deal
from leads.conversion.planning import Action, Link
from leads.models import Lead

NEW = "new"
LINKS = {
    Link.DIRECT: "works at {account}",
    Link.ADD: "also works at {account}",
    Link.MOVE: "moves from {elsewhere} to {account}",
}


class Command(ActingCommand):
    help = "Convert a lead into an account, a contact and an opportunity, as its page presets it."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("lead", type=int, metavar="ID")
        parser.add_argument("--account", metavar="ID", help="use this account; “new” makes one")
        parser.add_argument("--contact", metavar="ID", help="use this contact; “new” makes one")
        parser.add_argument("--no-opportunity", action="store_true")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen only")

    def act(self, *, by, dry_run, **options):
        lead = self.find(Lead.objects.select_related("owner", "status"), options["lead"], by)
        if lead.is_converted:
            raise CommandError(f"{lead} is converted already.")
        choices = self.choices(lead, by, options)
        plan = plan_conversion(lead, by=by, choices=choices)
        for line in describe(plan):
            self.stdout.write(line)
        if plan.all_errors:
            raise CommandError("The lead can't be converted like this. Nothing was changed.")
        if dry_run:
            self.stdout.write("Nothing was changed.")
            return
        conversion = convert_lead(lead, by=by, choices=choices, expected=plan.fingerprint)
        self.stdout.write(f"Converted. To take it back: manage.py undo {operation_of(conversion)}")

    def choices(self, lead, by, options):
        """The presets of the page, with what the arguments say instead."""
        choices = default_choices(lead, by=by)
        for name, model in (("account", Account), ("contact", Contact)):
            if (text := options[name]) is not None:
                found = None if text == NEW else self.find(model.objects.all(), text, by)
                choices = replace(choices, **{name: found})
        return replace(choices, deal=Deal.NONE) if options["no_opportunity"] else choices

    def find(self, rows, key, by):
        """The live record of that key, as far as ``by`` may see it."""
        kind = rows.model._meta.verbose_name
        text = str(key)
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise CommandError(f"“{key}” is no number of a record: {kind}.")
        found = rows.visible_to(by).live().filter(pk=int(text)).first()
        if found is None:
            raise CommandError(f"There is no {kind} {key}.")
        return found


def operation_of(conversion):
    return conversion.get_operation().pk


def describe(plan):
    """What a conversion would do, a line each; details are indented."""
    for card in plan.cards:
        yield headline(card)
        yield from (f"  {line}" for line in details(card))
        if card.name == "contact" and (words := LINKS.get(plan.relation.link)):
            account, elsewhere = plan.account.record, plan.relation.elsewhere
            yield "  " + words.format(account=account, elsewhere=elsewhere)
    yield f"Closes the lead as {plan.status}"
    for name, messages in plan.all_errors.items():
        yield from (f"In the way: {name}: {message}" for message in messages)


def headline(card):
    kind = card.model._meta.verbose_name
    if card.action is Action.NONE:
        return f"No {kind} yet"
    return f"{'Creates' if card.creates else 'Uses'} {kind} {card.record}"


def details(card):
    """What is written on one record, and what it keeps."""
    if card.creates and card.name == "opportunity":
        deal = card.record
        amount = display.money(deal.amount, deal.currency) or "no amount yet"
        yield f"{amount}, closes {display.day(deal.close_date)}, {deal.stage}"
    parts = [("with", card.carried if card.creates else ()), ("fills", card.fills)]
    parts += [("adds to", card.adds), ("replaces", card.replaces), ("keeps its", card.keeps)]
    for verb, effects in parts:
        if effects:
            yield f"{verb} {', '.join(effect.label for effect in effects)}"
