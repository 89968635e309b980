"""How sure a measured value is: intervals at any level, looks at growing samples, families."""
