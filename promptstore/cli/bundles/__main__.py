"""`python -m promptstore.cli.bundles FILE`: the verifier alone, as JSON, with exit code 0 or 1; 2 when there is nothing to read."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from promptstore.cli.bundles.reading import MAX_BYTES
from promptstore.cli.bundles.verifying import verify


def main(arguments: list[str]) -> int:
    """Check the one file that is named."""
    try:
        [name] = arguments
        with Path(name).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (ValueError, OSError) as error:
        print(f"python -m promptstore.cli.bundles FILE ({error})", file=sys.stderr)
        return 2
    found = verify(data)
    print(json.dumps(found.to_dict(), indent=2))
    return 0 if found.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
