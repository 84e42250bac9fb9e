"""Complete, typed training configurations, as functions."""
