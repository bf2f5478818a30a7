"""Turn what an SDK sent into the event Daytwo keeps, and read the few facts every list shows.

Pure functions over decoded JSON: no database, no clock, no Django. They run once per event on the digest
path and never raise, because whoever sends the event chooses every byte of it.
"""

from daytwo_server.errors.normalize.event import normalize
from daytwo_server.errors.normalize.headline import Headline, handled, main_exception, title_of
from daytwo_server.errors.normalize.labels import facets

__all__ = ["Headline", "facets", "handled", "main_exception", "normalize", "title_of"]
