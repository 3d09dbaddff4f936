"""Write the golden files that are missing: `python -m tests.golden.write`.

What was stored once is never rewritten. A read model whose fold changed without another `version=` is refused.
"""

import json
import sys

from goal_ledger.domain.registry import EVENTS
from goal_ledger.projections.registry import PROJECTIONS
from tests.golden.files import (
    FOLDER,
    PROJECTIONS_FILE,
    bodies,
    digests,
    fold_changed_silently,
    golden_digests,
    golden_file,
)


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for name, event_type in EVENTS.items():
        path = golden_file(name, event_type.schema_version)
        if not path.exists():
            path.write_bytes(b"".join(body + b"\n" for body in bodies(name)))
            print(f"wrote {path.name}")
    before, now = golden_digests(), {name: digests(projection) for name, projection in sorted(PROJECTIONS.items())}
    silent = [name for name in now if fold_changed_silently(before.get(name), now[name])]
    if silent:
        print(f"{', '.join(silent)}: the fold gives other rows; add 1 to its version=", file=sys.stderr)
        return 1
    PROJECTIONS_FILE.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
