"""What the product promises in numbers: ``make bench [ONLY=group]``."""
