"""The duplicate groups that await a decision: scanned, counted, and the safe ones merged."""
