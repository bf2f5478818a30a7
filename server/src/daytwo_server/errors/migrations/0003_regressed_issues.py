from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('errors', '0002_issues_by_project_moment'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='issue',
            index=models.Index(condition=models.Q(('regressed_at__isnull', False)), fields=['status', '-last_seen', '-id'], name='issue_regressed'),
        ),
    ]
