"""`python -m desk` is the command `desk`."""

import sys

from desk.cli import main

sys.exit(main())
