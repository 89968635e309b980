"""Measures, one file per family. A new measure is one file here and its tests."""
