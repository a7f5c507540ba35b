"""One test for each numbered situation that a merge tool has to handle."""
