"""`reference-ioi`."""
