from django.db import migrations
from django.db.models import F
from django.db.models.functions import Lower


def lower(apps, schema_editor):
    """By this address, mail that could not be read is found when its sender wants it shown or erased."""
    mails = apps.get_model("mail", "InboundMail").objects.using(schema_editor.connection.alias)
    mails.exclude(envelope_sender=Lower(F("envelope_sender"))).update(envelope_sender=Lower(F("envelope_sender")))


class Migration(migrations.Migration):
    dependencies = [("mail", "0003_provider_id_by_itself")]

    operations = [
        migrations.RunPython(lower, migrations.RunPython.noop, hints={"model_name": "inboundmail"}),
    ]
