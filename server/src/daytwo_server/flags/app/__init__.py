"""What apps ask for flags, raw ASGI and without Django: OFREP, snapshots, streams, exposures, and Unleash's protocol.

Everything is answered from memory. What is needed of the rest comes as callables (see `door.Door`), so that all of it
is tested as plain functions.
"""
