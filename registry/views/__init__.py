"""The registry's pages, one noun per file. A view reads with selectors or makes one service call."""
