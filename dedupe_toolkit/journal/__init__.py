"""What merges have written down: rows before and after, runs, old keys."""
