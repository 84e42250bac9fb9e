"""Tools that see structure: edges, lines (faint, of text), shapes, templates, surrounds, mirror images, homography."""
