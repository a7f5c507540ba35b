"""A project of applications that nobody here wrote; their own queries judge what a merge left.

It is a test suite of its own: ``make real-apps`` installs the libraries and runs it.
"""
