"""What the management API takes and gives, one noun per file. Rules live in the services."""
