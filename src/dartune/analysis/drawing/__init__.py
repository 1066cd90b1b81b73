"""What tables, figures and pages are made of: grids, charts, markup and the one style."""
