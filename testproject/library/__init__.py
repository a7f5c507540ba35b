"""The classic authors and books: what get_or_create promises and what it does not."""
