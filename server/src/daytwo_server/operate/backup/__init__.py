"""One file that holds an installation: taking it, restoring it, and proving that it can be restored.

Two stores and a spool have to agree. Nothing is stopped for it; the order does it:

1. What a room keeps in files (see `parts`) is set aside, the spool's segments among them, before the digest removes
   any more of them.
2. Both stores are pinned, `default` first, a moment apart: reads of each go on seeing that moment. Bodies are written
   to `telemetry` before `default` counts them, so the later moment of `telemetry` holds the body of every event that
   `default` knows.
3. The files are looked at again, for what came since.
4. Only then the bytes are copied, which takes as long as it takes.

After a restore the cursor in `default` says where the digest goes on in the spool. What `telemetry` has already is a
replay by its position and is counted then. So every event that was acknowledged before step 1 is in the archive,
counted or waiting. docs/how-to/backup.md is the operator's side.
"""
