"""What all tests share: pytester, which runs pytest inside pytest."""

pytest_plugins = ["pytester"]
