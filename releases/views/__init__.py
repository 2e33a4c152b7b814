"""Pages: each view reads with a selector or makes one service call."""
