"""Forms of the registry's pages. They read what was typed; rules live in the services."""
