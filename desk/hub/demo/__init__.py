"""The demonstration's invented world: a month in the life of a company, the same for a seed."""
