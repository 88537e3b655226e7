"""`python -m exptrack`."""

import sys

from exptrack.cli import main

sys.exit(main())
