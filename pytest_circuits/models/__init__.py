"""Loading models: packaged ones, local folders and hub names, each with its fingerprint."""
