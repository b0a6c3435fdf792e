from django.db import migrations, models

from core.indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("opportunities", "0005_add_team_members")]

    operations = [
        AddIndexOnline(
            model_name="opportunity",
            index=models.Index(
                fields=[
                    "owner",
                    "forecast_category",
                    "currency",
                    "close_date",
                    "amount",
                    "is_private",
                ],
                condition=models.Q(("archived_at", None), ("is_closed", False)),
                name="opp_open_sums_idx",
            ),
        ),
    ]
