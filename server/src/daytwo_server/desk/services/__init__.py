"""Every write of what people keep at hand. Whoever calls has already asked `permissions.can`."""

from daytwo_server.desk.services.drafts import (
    MAX_DRAFT,
    Saved,
    clear_draft,
    forget_drafts,
    keep_draft,
    save_draft,
    tell_of_begun,
    when_begun,
)
from daytwo_server.desk.services.presence import absent, presence_topic, present
from daytwo_server.desk.services.recent import visited
from daytwo_server.desk.services.views import (
    DeskError,
    delete_view,
    move_view,
    rename_view,
    restore_view,
    save_view,
    share_view,
)

__all__ = [
    "MAX_DRAFT",
    "DeskError",
    "Saved",
    "absent",
    "clear_draft",
    "delete_view",
    "forget_drafts",
    "keep_draft",
    "move_view",
    "presence_topic",
    "present",
    "rename_view",
    "restore_view",
    "save_draft",
    "save_view",
    "share_view",
    "tell_of_begun",
    "visited",
    "when_begun",
]
