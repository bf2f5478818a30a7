import sys

from daytwo_server.main.cli import main

sys.exit(main())
