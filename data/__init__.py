"""The only code that speaks SQL or touches the stores' files."""
