"""Put the files of other people's packages where `ui` serves them from. Rarely needed: the results are committed.

    cd /tmp && npm pack htmx.org@4.0.1 @fontsource-variable/inter@5.3.0 @fontsource-variable/jetbrains-mono@5.3.0
    python server/tools/vendor.py /tmp

Reads the archives that `npm pack` wrote into the folder, compares every file with the sha256 in
`static/ui/vendor/MANIFEST.json` and writes it. A file that differs stops the run before anything is written.
After raising a version in the manifest, `--accept` records the new sums; look at what changed before you commit that.
"""

import argparse
import hashlib
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

STATIC = Path(__file__).parents[1] / "src/daytwo_server/ui/static/ui"
MANIFEST = STATIC / "vendor/MANIFEST.json"


def archive_of(entry: dict[str, str]) -> str:
    """The name `npm pack` gives: "@scope/name" 1.0.0 becomes scope-name-1.0.0.tgz."""
    return f"{entry['name'].removeprefix('@').replace('/', '-')}-{entry['version']}.tgz"


def extract(entry: dict[str, str], folder: Path) -> bytes:
    with tarfile.open(folder / archive_of(entry)) as archive:
        member = archive.extractfile(f"package/{entry['from']}")
        if member is None:
            raise KeyError(entry["from"])
        return member.read()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where npm pack wrote its archives")
    parser.add_argument("--accept", action="store_true", help="record the sums of what is found")
    options = parser.parse_args(arguments)
    entries: list[dict[str, Any]] = json.loads(MANIFEST.read_text("utf-8"))
    found = [(entry, extract(entry, options.folder)) for entry in entries]
    for entry, content in found:
        total = hashlib.sha256(content).hexdigest()
        if options.accept:
            entry["sha256"] = total
        elif entry["sha256"] != total:
            sys.exit(f"{entry['file']}: {archive_of(entry)} holds {total}, the manifest says {entry['sha256']}")
    for entry, content in found:
        (STATIC / entry["file"]).write_bytes(content)
    MANIFEST.write_text(json.dumps(entries, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
