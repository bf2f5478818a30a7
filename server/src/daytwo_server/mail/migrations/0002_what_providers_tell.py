import django.db.models
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mail", "0001_initial")]

    operations = [
        migrations.AddField("delivery", "provider_id", models.CharField(default="", max_length=255)),
        migrations.AddField("delivery", "delivered_at", models.DateTimeField(default=None, null=True)),
        migrations.AddField("delivery", "complained_at", models.DateTimeField(default=None, null=True)),
        migrations.AddIndex(
            "delivery",
            models.Index(
                condition=~django.db.models.Q(provider_id=""), fields=["provider_id"], name="mail_delivery_provider_id"
            ),
        ),
        migrations.AddIndex(
            "delivery", models.Index(fields=["state", "created_at", "id"], name="mail_delivery_state")
        ),
        migrations.AddIndex(
            "inboundmail",
            models.Index(
                condition=django.db.models.Q(result="held"), fields=["received_at", "id"], name="mail_inbound_held"
            ),
        ),
        migrations.AlterField(
            "inboundmail",
            "state",
            models.CharField(
                choices=[
                    ("received", "Received"),
                    ("done", "Done"),
                    ("quarantined", "Quarantined"),
                    ("discarded", "Discarded"),
                ],
                default="received",
                max_length=12,
            ),
        ),
    ]
