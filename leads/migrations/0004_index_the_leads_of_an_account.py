from django.db import migrations, models

from core.indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("leads", "0003_name_all_fields")]

    operations = [
        AddIndexOnline(
            model_name="conversion",
            index=models.Index(
                fields=["account", "converted_at", "id"], name="conversion_account_at_idx"
            ),
        ),
    ]
