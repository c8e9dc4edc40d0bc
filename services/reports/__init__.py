"""Reports: what is asked for, how it is composed, how it becomes a file, and when."""
