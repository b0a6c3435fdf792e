import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0005_add_batch"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="organisation",
            name="default_lead_owner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="owner of leads that no rule fits",
            ),
        ),
        migrations.AddField(
            model_name="organisation",
            name="routes_to_account_owner",
            field=models.BooleanField(
                default=False, verbose_name="leads of a known account go to its owner"
            ),
        ),
    ]
