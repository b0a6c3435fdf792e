import core.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_name_all_fields"),
        ("leads", "0004_index_the_leads_of_an_account"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Queue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="updated"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        error_messages={"unique": "There is a queue of this name already."},
                        max_length=80,
                        unique=True,
                        verbose_name="name",
                    ),
                ),
                (
                    "last_position",
                    models.PositiveSmallIntegerField(
                        editable=False, null=True, verbose_name="place of the last turn"
                    ),
                ),
            ],
            options={
                "verbose_name": "queue",
                "verbose_name_plural": "queues",
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="QueueMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="updated"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
                (
                    "daily_cap",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="most leads a day"
                    ),
                ),
                (
                    "served_on",
                    models.DateField(
                        editable=False, null=True, verbose_name="day of the last turn"
                    ),
                ),
                (
                    "served",
                    models.PositiveIntegerField(
                        default=0, editable=False, verbose_name="leads on that day"
                    ),
                ),
            ],
            options={
                "verbose_name": "member",
                "verbose_name_plural": "members",
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="lead",
            name="assigned_at",
            field=models.DateTimeField(
                editable=False, null=True, verbose_name="assigned by rules at"
            ),
        ),
        migrations.AddField(
            model_name="lead",
            name="assigned_by",
            field=models.CharField(
                blank=True,
                choices=[
                    ("RULE", "A rule"),
                    ("ACCOUNT", "The owner of its account"),
                    ("DEFAULT", "No rule fits: the default owner"),
                    ("FALLBACK", "A rule whose target is away: its fallback owner"),
                    ("INSTEAD", "A rule whose target is away: the default owner"),
                    ("KEPT", "Nobody could take it"),
                ],
                editable=False,
                max_length=8,
                verbose_name="owner chosen by",
            ),
        ),
        migrations.AddField(
            model_name="lead",
            name="handed_over_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="handed over at"),
        ),
        migrations.AddField(
            model_name="lead",
            name="handed_over_by",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="handed over by",
            ),
        ),
        migrations.AddField(
            model_name="lead",
            name="handed_over_to",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="handed over to",
            ),
        ),
        migrations.AddField(
            model_name="lead",
            name="handover_note",
            field=core.fields.LongTextField(
                blank=True, editable=False, limit=1000, verbose_name="note on the hand-over"
            ),
        ),
        migrations.AddField(
            model_name="lead",
            name="return_reason",
            field=core.fields.LongTextField(
                blank=True, editable=False, limit=1000, verbose_name="reason of the return"
            ),
        ),
        migrations.AddField(
            model_name="lead",
            name="returned_by",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="returned by",
            ),
        ),
        migrations.CreateModel(
            name="AssignmentRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="updated"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        error_messages={"unique": "There is a rule of this name already."},
                        max_length=80,
                        unique=True,
                        verbose_name="name",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "criteria",
                    models.JSONField(default=dict, editable=False, verbose_name="conditions"),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="created by",
                    ),
                ),
                (
                    "fallback_owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="else to",
                    ),
                ),
                (
                    "target_user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="goes to",
                    ),
                ),
                (
                    "updated_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="updated by",
                    ),
                ),
            ],
            options={
                "verbose_name": "assignment rule",
                "verbose_name_plural": "assignment rules",
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="lead",
            name="assigned_by_rule",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="assigned_leads",
                to="leads.assignmentrule",
                verbose_name="assigned by rule",
            ),
        ),
        migrations.AddConstraint(
            model_name="lead",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("assigned_at", None), ("assigned_by", ""), ("assigned_by_rule", None)
                    ),
                    models.Q(
                        ("assigned_at__isnull", False),
                        ("assigned_by__in", ("RULE", "FALLBACK", "INSTEAD")),
                        ("assigned_by_rule__isnull", False),
                    ),
                    models.Q(
                        ("assigned_at__isnull", False),
                        ("assigned_by__in", ["ACCOUNT", "DEFAULT"]),
                        ("assigned_by_rule", None),
                    ),
                    models.Q(("assigned_at__isnull", False), ("assigned_by", "KEPT")),
                    _connector="OR",
                ),
                name="lead_assigned_whole",
                violation_error_message="What a rule assigned says which rule, and when.",
            ),
        ),
        migrations.AddConstraint(
            model_name="lead",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("handed_over_at", None), ("handed_over_by", None), ("handed_over_to", None)
                    ),
                    models.Q(("handed_over_at__isnull", False), ("handed_over_by__isnull", False)),
                    _connector="OR",
                ),
                name="lead_handover_whole",
                violation_error_message="A hand-over says by whom and when.",
            ),
        ),
        migrations.AddConstraint(
            model_name="lead",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("handed_over_to", None),
                    models.Q(("handed_over_to", models.F("owner")), _negated=True),
                    _connector="OR",
                ),
                name="lead_not_handed_to_owner",
                violation_error_message="Nobody is handed over what he owns.",
            ),
        ),
        migrations.AddConstraint(
            model_name="lead",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("return_reason", ""), ("returned_by", None)),
                    models.Q(
                        ("handed_over_to", None),
                        ("returned_by__isnull", False),
                        models.Q(("return_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="lead_return_whole",
                violation_error_code="return_reason",
                violation_error_message="Say why the lead is returned.",
            ),
        ),
        migrations.AddConstraint(
            model_name="lead",
            constraint=models.CheckConstraint(
                condition=models.Q(("handover_note__length__lte", 1000)),
                name="lead_handover_note_length",
                violation_error_code="handover_note",
                violation_error_message="At most 1000 characters.",
            ),
        ),
        migrations.AddConstraint(
            model_name="lead",
            constraint=models.CheckConstraint(
                condition=models.Q(("return_reason__length__lte", 1000)),
                name="lead_return_reason_length",
                violation_error_code="return_reason",
                violation_error_message="At most 1000 characters.",
            ),
        ),
        migrations.AddField(
            model_name="queue",
            name="created_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="created by",
            ),
        ),
        migrations.AddField(
            model_name="queue",
            name="updated_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="updated by",
            ),
        ),
        migrations.AddField(
            model_name="assignmentrule",
            name="queue",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rules",
                to="leads.queue",
                verbose_name="or to the queue",
            ),
        ),
        migrations.AddField(
            model_name="queuemember",
            name="created_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="created by",
            ),
        ),
        migrations.AddField(
            model_name="queuemember",
            name="queue",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="members",
                to="leads.queue",
                verbose_name="queue",
            ),
        ),
        migrations.AddField(
            model_name="queuemember",
            name="updated_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="updated by",
            ),
        ),
        migrations.AddField(
            model_name="queuemember",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AddConstraint(
            model_name="assignmentrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("queue", None), ("target_user__isnull", False)),
                    models.Q(("queue__isnull", False), ("target_user", None)),
                    _connector="OR",
                ),
                name="assignmentrule_one_target",
                violation_error_code="target_user",
                violation_error_message="Choose a person or a queue, one of the two.",
            ),
        ),
        migrations.AddConstraint(
            model_name="queuemember",
            constraint=models.UniqueConstraint(
                fields=("queue", "user"),
                name="queuemember_once",
                violation_error_code="user",
                violation_error_message="This person is in the queue already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="queuemember",
            constraint=models.CheckConstraint(
                condition=models.Q(("daily_cap", None), ("daily_cap__gt", 0), _connector="OR"),
                name="queuemember_cap_above_0",
                violation_error_code="daily_cap",
                violation_error_message="Enter a number above 0, or none for no limit.",
            ),
        ),
    ]
