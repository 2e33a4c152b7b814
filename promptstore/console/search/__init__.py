"""One box that finds any object of the project by id, digest, version or name."""
