from incidents.models.incidents import Incident, IncidentEntry
from incidents.models.notifications import Delivery, NotificationChannel
from incidents.models.preferences import NotificationPreference

__all__ = ["Delivery", "Incident", "IncidentEntry", "NotificationChannel", "NotificationPreference"]
