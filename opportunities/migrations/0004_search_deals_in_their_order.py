from django.db import migrations

from core.indexes import AddIndexOnline, SearchIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("opportunities", "0003_name_all_fields")]

    operations = [
        AddIndexOnline(
            model_name="opportunity",
            index=SearchIndex(
                fields=[
                    "archived_at",
                    "close_date",
                    "id",
                    "owner",
                    "is_private",
                    "is_closed",
                    "search_text",
                ],
                name="opp_text_idx",
            ),
        ),
        migrations.RemoveIndex(model_name="opportunity", name="opp_search_idx"),
    ]
