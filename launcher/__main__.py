"""The entry: `python3 -m launcher demo|test|lint|bench|clean|servers|manage`.

This file alone keeps to a syntax that old Pythons read, so that they can be told they are too old.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # the sentence is for those whom pyproject.toml never reaches
    sys.exit(
        f"This needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}. "
        "Install a newer one and name it: make demo PYTHON=python3.12"
    )

from launcher.cli import main

sys.exit(main(sys.argv[1:]))
