"""Write the golden files that are missing: `python -m tests.golden.write`.

What was stored once is never rewritten. A read model whose fold changed without another `version=` is refused, and so
is a wish that would be stored with another digest.
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
    examples,
    fold_changed_silently,
    golden_digests,
    golden_file,
)
from tests.golden.wishes import OPERATIONS_FILE, WISHES, Golden, digested, golden_operations


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for name, event_type in EVENTS.items():
        path = golden_file(name, event_type.schema_version)
        if not path.exists():
            path.write_bytes(b"".join(body + b"\n" for body in bodies(examples(name))))
            print(f"wrote {path.name}")
    before, now = golden_digests(), {name: digests(projection) for name, projection in sorted(PROJECTIONS.items())}
    silent = [name for name in now if fold_changed_silently(before.get(name), now[name])]
    if silent:
        print(f"{', '.join(silent)}: the fold gives other rows; add 1 to its version=", file=sys.stderr)
        return 1
    PROJECTIONS_FILE.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
    return write_operations()


def write_operations() -> int:
    """Add the digests of samples that are new."""
    golden = golden_operations()
    for operation in WISHES:
        kept, now = golden.get(operation, []), digested(operation)
        if any(one | other != one for one, other in zip(kept, now, strict=False)) or len(kept) > len(now):
            print(f"{operation}: the same wish is digested otherwise; command ids would be refused", file=sys.stderr)
            return 1
        golden[operation] = kept + now[len(kept) :]
    OPERATIONS_FILE.write_text(as_text(golden), encoding="utf-8")
    return 0


def as_text(golden: dict[str, Golden]) -> str:
    return json.dumps(dict(sorted(golden.items())), indent=2) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
