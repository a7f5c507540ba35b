"""Which calls of get_or_create the database makes safe: found, judged, reported. Only reads."""
