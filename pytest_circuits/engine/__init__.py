"""The engine: what claims need, merged into as few forward passes as possible."""
