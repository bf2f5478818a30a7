"""What keeps a backup from being made or restored. Each message says what happened and what to do."""


class BackupError(Exception):
    """It cannot be done, and nothing was changed but what the message names."""


class Busy(BackupError):
    """Another backup or restore works on the same thing; later it can be done."""


class Damaged(BackupError):
    """The archive is not what its manifest says, or no archive at all."""
