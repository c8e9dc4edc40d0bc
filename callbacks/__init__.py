"""Browser event -> one service call -> one dashboards function; nothing else."""
