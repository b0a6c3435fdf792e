from django.db import migrations, models

from core.indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("leads", "0005_add_assignment")]

    operations = [
        AddIndexOnline(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("handed_over_to__isnull", False)),
                fields=["handed_over_to"],
                name="lead_pending_handover_idx",
            ),
        ),
        AddIndexOnline(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("assigned_by_rule__isnull", False)),
                fields=["assigned_by_rule"],
                name="lead_assigned_by_rule_idx",
            ),
        ),
        AddIndexOnline(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("assigned_by__in", ("FALLBACK", "INSTEAD", "KEPT"))),
                fields=["assigned_at", "id"],
                name="lead_assigned_warning_idx",
            ),
        ),
    ]
