"""The two doors of the room for programs: `agents` under `/api/v1`, `customers` at `/api/support`."""
