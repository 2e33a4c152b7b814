"""The inventory: every point of inference, prompt and model of a project, where it is used and when it was last called."""
