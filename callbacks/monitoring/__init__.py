"""The tabs of the model monitoring dashboard."""
