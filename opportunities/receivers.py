"""What the deals do when owners, accounts or people's relations change."""

from django.db import models
from django.db.models import Q
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from accounts.services import Belongings, Dependants
from accounts.signals import (
    account_moved,
    belongings_wanted,
    dependants_archiving,
    dependants_moving,
    dependants_wanted,
)
from contacts.models import Contact
from contacts.signals import job_change_asked, job_changed, relations_changed
from core.journal import Kind, open_operation
from core.reach import Verb
from core.records import dumped, lock, remove
from core.services import require_all
from core.signals import owner_changed
from core.undo import Finding, undo_planned, undoing, undone
from opportunities.forms.role import questions_about
from opportunities.models import Opportunity, OpportunityContactRole, OpportunityStageHistory
from opportunities.services import hand_over_role, record_history, refresh_external

ASKED, OFFERED = 50, 50  # roles asked about, and people offered to take over, at most


@receiver(owner_changed, sender=Opportunity, dispatch_uid="opportunities.note_owner")
def note_owner(sender, *, record, before, **kwargs):
    """The owner is part of a deal's history."""
    op = open_operation()
    record_history([record], before={record.pk: before}, by=op.by, at=op.at)


@receiver(relations_changed, dispatch_uid="opportunities.mark_outsiders")
def mark_outsiders(sender, *, contacts, **kwargs):
    """Who has left an account is from outside in its deals, and the other way round."""
    refresh_external(OpportunityContactRole.objects.filter(contact__among=list(contacts)))


@receiver(account_moved, dispatch_uid="opportunities.mark_outsiders_of_branch")
def mark_outsiders_of_branch(sender, *, account, before, **kwargs):
    """An account that moves takes people to another line and away from the old one."""
    touched = Q(opportunity__account__in=Account.objects.within(account).order_by())
    touched |= Q(opportunity__account__in={*account.ancestor_ids, *before.ancestor_ids})
    refresh_external(OpportunityContactRole.objects.filter(touched))


@receiver(undone, dispatch_uid="opportunities.mark_outsiders_again")
def mark_outsiders_again(sender, *, plan, **kwargs):
    """What was taken back may have moved people and accounts as well."""
    touched = {}
    for label, pk in plan.state:
        touched.setdefault(label, []).append(pk)
    relations = [
        plan.state[at] or dumped(plan.present[at])
        for at in plan.state
        if at[0] == "contacts.accountcontactrelation" and (plan.state[at] or plan.present[at])
    ]
    moved = Account.objects.filter(pk__among=touched.get("accounts.account", []))
    which = Q(contact__among=[values["contact"] for values in relations])
    which |= Q(opportunity__among=touched.get("opportunities.opportunity", []))
    refresh_external(OpportunityContactRole.objects.filter(which))
    for account in moved.order_by("pk"):
        before = plan.present["accounts.account", account.pk]
        if before is not None and before.path != account.path:
            mark_outsiders_of_branch(sender, account=account, before=before)


@receiver(job_change_asked, dispatch_uid="opportunities.ask_for_roles")
def ask_for_roles(sender, *, contact, account, by, **kwargs):
    """What becomes of the roles in open deals of the account that is left, one by one."""
    if account is None:
        return None
    roles = OpportunityContactRole.objects.visible_to(by, Verb.EDIT).in_open_deals()
    roles = roles.filter(contact=contact, opportunity__account=account)
    roles = list(roles.select_related("opportunity").order_by("pk")[:ASKED])
    if not roles:
        return None
    people = Contact.objects.live().visible_to(by).of(account).exclude(pk=contact.pk)
    people = people.order_by("last_name", "first_name", "pk")[:OFFERED]
    return questions_about(roles, list(people))


@receiver(job_changed, dispatch_uid="opportunities.settle_roles")
def settle_roles(sender, *, contact, before, change, **kwargs):
    """
    Do what was decided for the person's roles in open deals of the account that was left.

    ``change.extras["opportunities"]`` maps keys of roles to the person who takes over, None if
    nobody does and the role is only marked as left. Other roles stay as they are.
    """
    decisions = change.extras.get("opportunities", {})
    if not decisions:
        return
    roles = OpportunityContactRole.objects.in_open_deals().filter(
        contact=contact, opportunity__account=before, pk__among=list(decisions)
    )
    roles = list(lock(roles).select_related("opportunity__account").order_by("pk"))
    require_all([role.opportunity for role in roles], by=open_operation().by, verb=Verb.EDIT)
    for role in roles:
        hand_over_role(role, to=decisions[role.pk])


@receiver(dependants_wanted, dispatch_uid="opportunities.count_deals")
def count_deals(sender, *, account, **kwargs):
    """The deals with the account, closed ones included."""
    live = Opportunity.objects.live()
    own, branch = live.filter(account=account).count(), live.within(account).count()
    return Dependants(_("deals"), own, branch)


@receiver(belongings_wanted, dispatch_uid="opportunities.offer_deals")
def offer_deals(sender, *, account, owner, **kwargs):
    """The owner's open deals with the account."""
    deals = Opportunity.objects.live().open().filter(account=account, owner=owner)
    return Belongings("deals", _("open deals"), deals)


@receiver(dependants_moving, dispatch_uid="opportunities.move_deals_along")
def move_deals_along(sender, *, account, target, by, **kwargs):
    """Give the deals to another account; people who do not belong there are marked."""
    deals = lock(Opportunity.objects.live().filter(account=account)).order_by("pk")
    require_all(deals, by=by, verb=Verb.EDIT)
    keys = [deal.pk for deal in deals]
    Opportunity.objects.filter(pk__among=keys).update(account=target)
    refresh_external(OpportunityContactRole.objects.filter(opportunity__among=keys))


@receiver(dependants_archiving, dispatch_uid="opportunities.archive_deals")
def archive_deals(sender, *, accounts, at, by, **kwargs):
    """Put the deals into the recycle bin as well."""
    deals = Opportunity.objects.live().filter(account__in=accounts.order_by())
    require_all(lock(deals).order_by("pk"), by=by, verb=Verb.ARCHIVE)
    deals.update(archived_at=at)


# -- undo -------------------------------------------------------------------------------------

DEAL, HISTORY = Opportunity._meta.label_lower, OpportunityStageHistory._meta.label_lower


@receiver(undo_planned, dispatch_uid="opportunities.keep_history_whole")
def keep_history_whole(sender, *, plan, **kwargs):
    """
    Leave rows of history alone that others follow, and let those of a removed deal go with it.

    A row taken out of the middle would leave a gap: what is taken back gets a row of its own.
    """
    touched = {}
    for (label, pk), values in plan.state.items():
        values = values or plan.before((label, pk))
        if label == HISTORY and values is not None:
            touched.setdefault(values["opportunity"], set()).add(pk)
    if not touched:
        return
    later = models.QuerySet(OpportunityStageHistory).filter(opportunity__among=sorted(touched))
    for pk, deal in later.order_by("pk").values_list("pk", "opportunity"):
        gone = plan.left.get((HISTORY, pk), ()) is None
        if gone or pk in touched[deal] or plan.state.get((DEAL, deal), ()) is None:
            continue
        for row in touched[deal]:
            if row < pk:
                plan.skip(HISTORY, row)
    if plan.policy == Kind.CONVERT:
        _claim_history(plan)


def _claim_history(plan):
    """The history of an open deal that the conversion made, and its undo takes out."""
    made = plan.removed().get(DEAL, set())
    for finding in list(plan.in_the_way):
        row = plan.met.get((finding.model, finding.object_id))
        if not isinstance(row, OpportunityStageHistory) or row.opportunity_id not in made:
            continue
        at = DEAL, row.opportunity_id
        if plan.present[at].is_closed:
            continue
        plan.claim(HISTORY, row.pk, str(_("It goes with the deal.")))
        if at not in {(tick.model, tick.object_id) for tick in plan.ticks}:
            plan.ticks.append(Finding("changed", *at, str(_("It has moved since."))))


@receiver(undoing, dispatch_uid="opportunities.take_out_history")
def take_out_history(sender, *, plan, **kwargs):
    """Take out the history that goes with a deal, as it was planned."""
    keys = [finding.object_id for finding in plan.claimed if finding.model == HISTORY]
    if not keys:
        return
    remove(models.QuerySet(OpportunityStageHistory).filter(pk__among=keys).order_by("pk"))


@receiver(undone, dispatch_uid="opportunities.note_what_was_taken_back")
def note_what_was_taken_back(sender, *, plan, op, **kwargs):
    """Write a row of history for deals whose own row had to stay because others follow it."""
    rows = [c for c in plan.steps if c.model == HISTORY and (HISTORY, c.object_id) in plan.skipped]
    keys = {(c.after_values or c.before_values).get("opportunity") for c in rows} - {None}
    if not keys:
        return
    deals = models.QuerySet(Opportunity).filter(pk__among=sorted(keys)).order_by("pk")
    before = {deal.pk: plan.present.get((DEAL, deal.pk)) or deal for deal in deals}
    record_history(deals, before=before, by=op.by, at=op.at)
