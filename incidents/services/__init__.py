"""What may happen to incidents, and to the channels and messages that tell of them."""

from incidents.services.incidents import MAX_TEXT, acknowledge, comment, mitigate, open_incident, resolve

__all__ = ["MAX_TEXT", "acknowledge", "comment", "mitigate", "open_incident", "resolve"]
