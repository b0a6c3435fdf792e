"""What the contacts do when an account is put away, or something is undone."""

from django.db import models
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from accounts.services import Belongings, Dependants
from accounts.signals import (
    belongings_wanted,
    dependants_archiving,
    dependants_moving,
    dependants_wanted,
)
from contacts.models import AccountContactRelation, Contact
from contacts.services import carry_out_due, move_people
from core.reach import Verb
from core.records import dumped, lock
from core.services import require_all
from core.signals import sweeping
from core.undo import Finding, undo_planned, undone


@receiver(dependants_wanted, dispatch_uid="contacts.count_people")
def count_people(sender, *, account, **kwargs):
    """The people whose direct account it is."""
    live = Contact.objects.live()
    branch = Account.objects.within(account).order_by()
    return Dependants(
        _("people"), live.filter(account=account).count(), live.filter(account__in=branch).count()
    )


@receiver(belongings_wanted, dispatch_uid="contacts.offer_people")
def offer_people(sender, *, account, owner, **kwargs):
    """The owner's people whose direct account it is."""
    people = Contact.objects.live().filter(account=account, owner=owner)
    return Belongings("people", _("people"), people)


@receiver(dependants_moving, dispatch_uid="contacts.move_people_along")
def move_people_along(sender, *, account, target, by, **kwargs):
    """Give the people another direct account."""
    people = lock(Contact.objects.live().filter(account=account)).order_by("pk")
    require_all(people, by=by, verb=Verb.EDIT)
    move_people(account, target=target)


@receiver(dependants_archiving, dispatch_uid="contacts.archive_people")
def archive_people(sender, *, accounts, at, by, **kwargs):
    """Put the people into the recycle bin as well."""
    people = Contact.objects.live().filter(account__in=accounts.order_by())
    require_all(lock(people).order_by("pk"), by=by, verb=Verb.ARCHIVE)
    people.update(archived_at=at)


@receiver(sweeping, dispatch_uid="contacts.carry_out_planned_job_changes")
def carry_out_planned_job_changes(sender, **kwargs):
    """Let the people whose day has come change their jobs."""
    done, refused = carry_out_due()
    if not done and not refused:
        return None
    return f"Carried out {done} planned changes of job; {refused} could not be done."


CONTACT, RELATION = Contact._meta.label_lower, AccountContactRelation._meta.label_lower


@receiver(undo_planned, dispatch_uid="contacts.keep_a_main_account")
def keep_a_main_account(sender, *, plan, **kwargs):
    """Who would keep active relations but no main one stands in the way."""
    for pk, relations in _relations_after(plan).items():
        at = CONTACT, pk
        active = [values for values in relations.values() if values["is_active"]]
        direct = next((values for values in active if values["is_direct"]), None)
        if active and direct is None:
            plan.met[at] = models.QuerySet(Contact).get(pk=pk)
            message = _("would have other accounts, but no main one.")
            plan.stop(Finding("in_use", *at, str(message)))
            for relation in relations:
                plan.skip(RELATION, relation)
        elif direct and _mirrors(plan, at, direct["account"]):
            # The relation stays, so its mirror does.
            plan.kept_fields.add((*at, "account"))
            plan.state[at]["account"] = direct["account"]
        elif (*at, "account") in plan.kept_fields:
            # The mirror follows the relation; what was said of it alone no longer holds.
            plan.kept = [
                f for f in plan.kept if (f.model, f.object_id, f.field) != (*at, "account")
            ]


def _mirrors(plan, at, account):
    """Whether ``account`` is a contact's account now and would not be after the playback."""
    before, after = plan.before(at), plan.state.get(at)
    return bool(before and after) and before["account"] == account != after["account"]


def _relations_after(plan):
    """The relations of people whose relations a planned undo touches: {contact: {key: values}}."""
    touched = {at[1]: values for at, values in plan.state.items() if at[0] == RELATION}
    people = {values["contact"] for values in touched.values() if values is not None}
    people |= {
        values["contact"] for pk in touched if (values := plan.before((RELATION, pk))) is not None
    }
    people = {pk for pk in people if plan.state.get((CONTACT, pk), ()) is not None}
    if not people:
        return {}
    found = {pk: {} for pk in people}
    rows = models.QuerySet(AccountContactRelation).filter(contact__among=sorted(people))
    stored = {row.pk: dumped(row) for row in rows.order_by("pk")}
    left = {at[1]: values for at, values in plan.left.items() if at[0] == RELATION}
    for pk, values in {**stored, **left, **touched}.items():
        if values is not None and values["contact"] in found:
            found[values["contact"]][pk] = values
    return found


@receiver(undone, dispatch_uid="contacts.mirror_again")
def mirror_again(sender, *, plan, **kwargs):
    """A field that was kept, or a relation that went, may have left the mirror of it behind."""
    people = set(_relations_after(plan))
    people |= {at[1] for at, values in plan.state.items() if at[0] == CONTACT and values}
    if not people:
        return
    direct = AccountContactRelation.objects.direct().filter(contact__among=sorted(people))
    accounts = dict(direct.values_list("contact_id", "account_id"))
    for contact in Contact.objects.filter(pk__among=sorted(people)).order_by("pk"):
        if contact.account_id != accounts.get(contact.pk):
            contact.account_id = accounts.get(contact.pk)
            contact.save(update_fields=["account"])
