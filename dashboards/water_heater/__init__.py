"""The tabs of the water heaters: a view in, components out."""
