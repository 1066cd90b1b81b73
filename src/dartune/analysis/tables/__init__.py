"""Which numbers of a summary stand in which table, for the terminal, the report and documents."""
