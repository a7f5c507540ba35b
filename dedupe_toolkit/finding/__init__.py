"""Which rows are duplicates: from a match key to groups, and which row of each survives."""
