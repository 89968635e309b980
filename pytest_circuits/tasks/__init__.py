"""Tasks: prompts with named positions, answers and aligned counterparts."""
