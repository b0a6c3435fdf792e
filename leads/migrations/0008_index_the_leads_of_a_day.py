from django.db import migrations, models

from core.indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("leads", "0007_add_shares")]

    operations = [
        AddIndexOnline(
            model_name="lead",
            index=models.Index(
                fields=[
                    "owner",
                    "phase",
                    "qualification_score",
                    "created_at",
                    "id",
                    "nurture_until",
                ],
                condition=models.Q(("archived_at", None)),
                name="lead_day_idx",
            ),
        ),
    ]
