"""Mutation testing of claims: the model is sabotaged in known ways, and the claims must notice."""
