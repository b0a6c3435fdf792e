from django.db import migrations, models

from core.indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("contacts", "0003_name_all_fields")]

    operations = [
        AddIndexOnline(
            model_name="accountcontactrelation",
            index=models.Index(
                fields=["account", "is_primary_for_account", "is_active", "id"],
                name="acr_account_order_idx",
            ),
        ),
    ]
