from incidents.models.incidents import Incident, IncidentEntry
from incidents.models.notifications import Delivery, NotificationChannel

__all__ = ["Delivery", "Incident", "IncidentEntry", "NotificationChannel"]
