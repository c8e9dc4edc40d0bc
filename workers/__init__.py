"""Programs that run without a browser: the worker and the processes it is part of."""
