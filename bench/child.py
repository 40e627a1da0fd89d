"""One bench in a process of its own: `python -m bench.child <name> <scale> <file for the results>`."""

import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

import django

from bench.runner import Result


def main() -> None:
    """Set Django up, run the bench, and write its results as JSON."""
    name, scale, answer = sys.argv[1:]
    django.setup()
    found = importlib.import_module(f"bench.{name}").run(float(scale))
    results = [found] if isinstance(found, Result) else found
    Path(answer).write_text(json.dumps([asdict(result) for result in results]))


if __name__ == "__main__":
    main()
