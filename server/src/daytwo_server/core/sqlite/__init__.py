"""Django's SQLite backend, with writers of one process in line instead of asking again and again; see `turns`."""
