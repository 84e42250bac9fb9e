"""Images that are made, not restored: from rules, from examples and from noise."""
