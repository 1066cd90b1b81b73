"""The reports: one HTML page for each kind of summary."""
