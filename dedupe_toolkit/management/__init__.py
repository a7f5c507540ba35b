"""The commands: arguments in, one call, one report out."""
