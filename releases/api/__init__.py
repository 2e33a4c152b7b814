"""The management API of releases; each view parses, makes one service call, and answers."""
