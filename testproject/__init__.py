"""A Django project that is the demo of dedupe_toolkit and its test bed."""
