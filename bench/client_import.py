"""What `import daytwo` costs beyond `import sentry_sdk`: fresh processes in pairs, one after the other in turns.

The median of the differences, of processor time and of wall time: on a busy machine the first is the one to believe.
"""

import json
import statistics
import subprocess
import sys

PAIRS = 21
SCRIPT = (
    "import time; w, c = time.perf_counter(), time.process_time(); import {}; "
    "print(time.process_time() - c, time.perf_counter() - w)"
)


def took(modules: str) -> tuple[float, float]:
    """Milliseconds of processor time and of wall time."""
    done = subprocess.run([sys.executable, "-c", SCRIPT.format(modules)], check=True, capture_output=True, text=True)
    cpu, wall = map(float, done.stdout.split())
    return cpu * 1000, wall * 1000


took("sentry_sdk, daytwo")  # what is compiled and cached on the way stays so
pairs = [(took("sentry_sdk"), took("sentry_sdk, daytwo")) for _ in range(PAIRS)]
cpu, wall = (statistics.median(both[kind] - theirs[kind] for theirs, both in pairs) for kind in (0, 1))
alone = statistics.median(theirs[0] for theirs, _ in pairs)
print(
    json.dumps(
        {"import": "ms", "sentry_sdk_cpu": round(alone), "daytwo_adds_cpu": round(cpu, 1), "wall": round(wall, 1)}
    )
)
