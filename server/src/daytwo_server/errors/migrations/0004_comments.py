from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("errors", "0003_regressed_issues")]

    operations = [
        migrations.AddField(model_name="activity", name="deleted_at", field=models.DateTimeField(null=True)),
        migrations.AlterField(
            model_name="activity",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opened", "Opened"),
                    ("resolved", "Resolved"),
                    ("ignored", "Ignored"),
                    ("unresolved", "Unresolved"),
                    ("regressed", "Regressed"),
                    ("assigned", "Assigned"),
                    ("commented", "Commented"),
                ],
                max_length=12,
            ),
        ),
    ]
