class Cart:
    """A shopping cart; all amounts are whole cents."""
