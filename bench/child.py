"""One bench in a process of its own: `python -m bench.child <name> <scale> <file for the result>`."""

import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

import django


def main() -> None:
    """Set Django up, run the bench, and write its result as JSON."""
    name, scale, answer = sys.argv[1:]
    django.setup()
    result = importlib.import_module(f"bench.{name}").run(float(scale))
    Path(answer).write_text(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
