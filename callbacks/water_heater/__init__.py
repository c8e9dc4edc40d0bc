"""The callbacks of the water heaters' tabs."""
