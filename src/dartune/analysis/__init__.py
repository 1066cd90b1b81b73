"""What a run left, told to people: the summary file, tables, figures and the HTML report."""
