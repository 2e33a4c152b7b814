from incidents.selectors.incidents import (
    IncidentCounts,
    PossibleAction,
    incident_counts,
    incident_detail,
    incident_list,
    possible_actions,
    timeline,
)

__all__ = [
    "IncidentCounts",
    "PossibleAction",
    "incident_counts",
    "incident_detail",
    "incident_list",
    "possible_actions",
    "timeline",
]
