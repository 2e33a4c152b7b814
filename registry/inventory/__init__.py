"""Finding the places of a source tree that ask a model, and which of them go through Promptstore. No Django."""

from registry.inventory.governing import Gateways
from registry.inventory.scanning import scan_source, scan_tree
from registry.inventory.sites import CallSite, Scan, Unread

__all__ = ["CallSite", "Gateways", "Scan", "Unread", "scan_source", "scan_tree"]
