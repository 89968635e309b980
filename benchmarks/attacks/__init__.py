"""Attacks that anyone can make again: what is killed or damaged, and what is left of it."""
