import daytwo_server.core.clock
from django.db import migrations, models

# Full text of core_searchdocument. External content: the words are stored once, in the table; triggers keep the index.
# The prefix lists are half as big again as the index, and turn 600 ms for two typed letters into 1 ms.
# A later migration that makes SQLite rebuild that table (Django does so for most changes) must run this again.
SQLITE = [
    """CREATE VIRTUAL TABLE core_searchwords USING fts5(
        kind, words, content='core_searchdocument', content_rowid='id', tokenize='unicode61', prefix='2 3')""",
    """CREATE TRIGGER core_searchwords_insert AFTER INSERT ON core_searchdocument BEGIN
        INSERT INTO core_searchwords (rowid, kind, words) VALUES (new.id, new.kind, new.words);
    END""",
    """CREATE TRIGGER core_searchwords_delete AFTER DELETE ON core_searchdocument BEGIN
        INSERT INTO core_searchwords (core_searchwords, rowid, kind, words)
        VALUES ('delete', old.id, old.kind, old.words);
    END""",
    """CREATE TRIGGER core_searchwords_update AFTER UPDATE ON core_searchdocument BEGIN
        INSERT INTO core_searchwords (core_searchwords, rowid, kind, words)
        VALUES ('delete', old.id, old.kind, old.words);
        INSERT INTO core_searchwords (rowid, kind, words) VALUES (new.id, new.kind, new.words);
    END""",
]
POSTGRES = [
    """CREATE INDEX core_searchwords ON core_searchdocument
        USING gin (array_to_tsvector(string_to_array(words, ' ')))""",
]


def make_search_index(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRES:
        schema_editor.execute(statement)


def drop_search_index(apps, schema_editor):
    # The triggers and the PostgreSQL index go with the table.
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE core_searchwords")


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Fact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True, default=daytwo_server.core.clock.now)),
                ('name', models.CharField(max_length=100)),
                ('data', models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name='Periodic',
            fields=[
                ('kind', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('schedule', models.CharField(max_length=100)),
                ('next_run', models.DateTimeField()),
                ('last_run', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Topic',
            fields=[
                ('name', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('version', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=daytwo_server.core.clock.now)),
                ('actor_kind', models.CharField(max_length=20)),
                ('actor_id', models.CharField(default='', max_length=64)),
                ('action', models.CharField(max_length=100)),
                ('ref_kind', models.CharField(default='', max_length=50)),
                ('ref_id', models.CharField(default='', max_length=64)),
                ('before', models.TextField(default='')),
                ('after', models.TextField(default='')),
                ('ip', models.CharField(default='', max_length=45)),
            ],
            options={
                'indexes': [models.Index(fields=['at', 'id'], name='core_audit_at'), models.Index(fields=['ref_kind', 'ref_id', 'at'], name='core_audit_ref')],
            },
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=100)),
                ('args', models.TextField(default='{}')),
                ('queue', models.CharField(default='default', max_length=50)),
                ('priority', models.SmallIntegerField(choices=[(-1, 'Bulk'), (0, 'Normal'), (1, 'Urgent')], default=0)),
                ('state', models.CharField(choices=[('ready', 'Ready'), ('leased', 'Leased'), ('dead', 'Dead')], default='ready', max_length=10)),
                ('created_at', models.DateTimeField(default=daytwo_server.core.clock.now)),
                ('run_at', models.DateTimeField(default=daytwo_server.core.clock.now)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('max_attempts', models.PositiveIntegerField()),
                ('unique_key', models.CharField(default=None, max_length=200, null=True)),
                ('token', models.CharField(default='', max_length=32)),
                ('again_at', models.DateTimeField(default=None, null=True)),
                ('error', models.TextField(default='')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['ready', 'leased'])), fields=['queue', 'priority', 'run_at', 'id'], name='core_job_due')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['ready', 'leased'])), fields=('unique_key',), name='core_job_unique_key')],
            },
        ),
        migrations.CreateModel(
            name='SearchDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=50)),
                ('object_id', models.BigIntegerField()),
                ('words', models.TextField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'object_id'), name='core_searchdocument_object')],
            },
        ),
        migrations.RunPython(make_search_index, drop_search_index, hints={"model_name": "searchdocument"}),
    ]
