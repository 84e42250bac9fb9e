"""The file formats: one file each, all behind ``anew.images``.

``formats`` lists them; ``facts`` is what is kept of a file beside its pixels; ``raster`` turns samples as files hold
them into float pixels and back; ``metadata`` reads and edits EXIF, XMP and ICC; ``storage`` touches the disk.
"""
