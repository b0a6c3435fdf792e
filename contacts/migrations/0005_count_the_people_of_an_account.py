from django.db import migrations, models

from core.indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("contacts", "0004_index_the_people_of_an_account")]

    operations = [
        AddIndexOnline(
            model_name="contact",
            index=models.Index(
                fields=["account"],
                condition=models.Q(("archived_at", None)),
                name="contact_live_account_idx",
            ),
        ),
        AddIndexOnline(
            model_name="accountcontactrelation",
            index=models.Index(
                fields=["account"],
                condition=models.Q(("is_active", True), ("is_direct", False)),
                name="acr_further_account_idx",
            ),
        ),
    ]
