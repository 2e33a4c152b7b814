"""The management API of the registry, one noun per file. A view finds its objects, makes one service call, and answers."""
