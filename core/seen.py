"""What a user has looked at, the latest first; outside the journal, for reading writes nothing."""

from django.apps import apps
from django.utils import timezone

from core.models import Seen

RECENT = 5
LOOKED_AT = 20  # of them some may be hidden by now


def see(label, pk, *, by):
    """Note that ``by`` looks at the record with this model's label and key now."""
    row = Seen(user=by, model=label, object_id=pk, at=timezone.now())
    Seen.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["user", "model", "object_id"],
        update_fields=["at"],
    )


def recent_records(user, *, limit=RECENT):
    """The records that ``user`` looked at last and may still see: one query a kind of records."""
    rows = Seen.objects.filter(user=user).order_by("-at", "-pk")
    seen = list(rows.values_list("model", "object_id")[:LOOKED_AT])
    found = {}
    for label in dict.fromkeys(label for label, _pk in seen):
        keys = [pk for other, pk in seen if other == label]
        model = apps.get_model(label)
        records = model.objects.visible_to(user).select_related("owner", *model.hint_links)
        found |= {(label, record.pk): record for record in records.filter(pk__in=keys)}
    return [found[key] for key in seen if key in found][:limit]
