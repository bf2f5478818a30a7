from django.db import migrations, models

# In the order of code points on both stores, so that all titles with one beginning lie side by side.
INDEX = "CREATE INDEX core_searchdocument_title ON core_searchdocument (kind, title{collation}, id DESC)"


def make_title_index(apps, schema_editor):
    collation = "" if schema_editor.connection.vendor == "sqlite" else ' COLLATE "C"'
    schema_editor.execute(INDEX.format(collation=collation))


def drop_title_index(apps, schema_editor):
    schema_editor.execute("DROP INDEX core_searchdocument_title")


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="searchdocument",
            name="title",
            field=models.CharField(default=None, max_length=200, null=True),
        ),
        migrations.RunPython(make_title_index, drop_title_index, hints={"model_name": "searchdocument"}),
    ]
