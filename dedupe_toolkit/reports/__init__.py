"""One value in, one report out: as a table for people, as JSON or CSV for programs."""
