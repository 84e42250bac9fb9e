"""Tools that see structure: edges, template matching, shape matching."""
