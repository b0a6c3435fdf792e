"""What is different when many accounts are assigned or archived at once."""

from accounts.forms import AccountAssignForm
from accounts.models import Account
from accounts.services import archive_account, assign_account
from core.batches import Archive, Assign


def assign_with_belongings(account, form, *, by):
    """Give an account of a batch to another owner, with what the form says goes along."""
    assign_account(account, owner=form.cleaned_data["owner"], by=by, along=form.chosen)


Assign.done_by(Account, assign_with_belongings, form_class=AccountAssignForm)
Archive.done_by(Account, archive_account)
