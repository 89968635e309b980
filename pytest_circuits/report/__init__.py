"""Reports: failure text, terminal table, JSON. Builtins only, nothing heavy."""
