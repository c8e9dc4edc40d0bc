"""What the product can do. Every public method takes the caller first."""
