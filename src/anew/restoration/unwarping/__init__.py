"""Methods that straighten geometry: ``unwarp_NAME(image, *, ...)``."""
