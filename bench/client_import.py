"""What `import daytwo` costs beyond `import sentry_sdk`: the median of eleven fresh processes each, alternating."""

import json
import statistics
import subprocess
import sys

SCRIPT = "import time; t = time.perf_counter(); import {}; print((time.perf_counter() - t) * 1000)"


def took(modules: str) -> float:
    done = subprocess.run([sys.executable, "-c", SCRIPT.format(modules)], check=True, capture_output=True, text=True)
    return float(done.stdout)


theirs, both = [], []
for _ in range(11):
    theirs.append(took("sentry_sdk"))
    both.append(took("sentry_sdk, daytwo"))
beyond = statistics.median(both) - statistics.median(theirs)
print(json.dumps({"import": "ms", "sentry_sdk": round(statistics.median(theirs)), "daytwo_adds": round(beyond)}))
