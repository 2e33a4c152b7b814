"""Paths below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from promptstore.console.inventory.api import InventoryView

urlpatterns: list[URLPattern] = [path("projects/<slug:project>/inventory/", InventoryView.as_view())]
