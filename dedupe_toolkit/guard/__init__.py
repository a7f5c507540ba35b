"""Watches ``get_or_create`` as it is called, and judges each call site once."""
