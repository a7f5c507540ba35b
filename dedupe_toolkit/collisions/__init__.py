"""Which rows would break a unique rule once repointed, and what becomes of them."""
