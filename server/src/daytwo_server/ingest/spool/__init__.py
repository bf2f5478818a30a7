"""The spool: envelopes that are accepted and not digested yet, in append-only files.

A segment is one file `<number:020d>.seg`. Its number is the unix time in milliseconds at which it was made, raised
past every number used before, so a record's position (segment, sequence) names it for ever.

A record is `magic(4) | length u32 | crc32 u32 | sequence u32 | body`, little-endian. `length` is that of the body. The
checksum covers length, sequence and body. The magic says whether the body is MessagePack as it is or compressed with
zstd. Sequences rise within a segment, from 0; a gap is left where a write failed.

One process writes (`Writer`), one reads (`Reader`); they share the files and nothing else.
"""

from daytwo_server.ingest.spool.reader import Backlog, Reader
from daytwo_server.ingest.spool.record import START, CountRow, Counts, Envelope, KeyUse, Position, Record
from daytwo_server.ingest.spool.segments import SpoolLocked
from daytwo_server.ingest.spool.writer import SpoolSize, Writer

__all__ = [
    "START",
    "Backlog",
    "CountRow",
    "Counts",
    "Envelope",
    "KeyUse",
    "Position",
    "Reader",
    "Record",
    "SpoolLocked",
    "SpoolSize",
    "Writer",
]
