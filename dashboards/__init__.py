"""What the user sees: pure functions from views to components."""
