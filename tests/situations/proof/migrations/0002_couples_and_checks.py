import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Greatest, Least


def person() -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="proof.person"
    )


def key() -> models.BigAutoField:
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


def computed(expression: models.Func) -> models.GeneratedField:
    return models.GeneratedField(
        db_persist=True, expression=expression, output_field=models.BigIntegerField()
    )


class Migration(migrations.Migration):
    dependencies = [
        ("proof", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Couple",
            fields=[
                ("id", key()),
                ("left", person()),
                ("right", person()),
                ("low", computed(Least("left", "right"))),
                ("high", computed(Greatest("left", "right"))),
                ("place", models.CharField(blank=True, max_length=20)),
            ],
            options={
                "unique_together": {("low", "high")},
            },
        ),
        migrations.CreateModel(
            name="Ticket",
            fields=[
                ("id", key()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="proof.person"
                    ),
                ),
                ("floor", models.IntegerField(null=True)),
            ],
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.CheckConstraint(
                condition=models.Q(("score__lte", 2)), name="proof_few_points"
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(("person__gte", models.F("floor"))), name="proof_old_enough"
            ),
        ),
    ]
