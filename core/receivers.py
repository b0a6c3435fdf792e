"""What core looks at once more before an operation is committed."""

from django.dispatch import receiver

from core.journal import Kind, operation_closing
from core.lists import refuse_removed

# What was there before comes back as it was, and files bring the values of their lists along.
AS_THEY_ARE = (Kind.UNDO, Kind.SEED, Kind.DEMO, Kind.IMPORT)


@receiver(operation_closing, dispatch_uid="core.look_for_removed_list_values")
def look_for_removed_list_values(sender, *, op, **kwargs):
    """A form was cleaned while its list still had a value: the write would bring it back."""
    if op.kind not in AS_THEY_ARE:
        refuse_removed(op.changes)
