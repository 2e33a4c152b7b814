from __future__ import annotations

from django.urls import include, path

from promptstore.console import place, preferences
from promptstore.console.audit import views as audit
from promptstore.console.home.views import home, home_live
from promptstore.console.inventory import views as inventory
from promptstore.console.search.views import search, search_palette
from promptstore.console.styleguide import views as styleguide

app_name = "console"

urlpatterns = [
    path("", home, name="home"),
    path("live/", home_live, name="home_live"),
    path("search/", search, name="search"),
    path("search/palette/", search_palette, name="search_palette"),
    path("inventory/", inventory.inventory, name="inventory"),
    path("inventory/artifacts/", inventory.inventory_artifacts, name="inventory_artifacts"),
    path("inventory/export.<str:ending>", inventory.inventory_export, name="inventory_export"),
    path("audit/", audit.audit_list, name="audit"),
    path("audit/verify/", audit.audit_verify, name="audit_verify"),
    path("audit/verification/", audit.audit_verification, name="audit_verification"),
    path("audit/export.<str:ending>", audit.audit_export, name="audit_export"),
    path("", include("promptstore.console.settings.urls")),
    path("preferences/theme/", preferences.set_theme, name="theme"),
    path("preferences/place/", place.switch, name="switch"),
    path("styleguide/", styleguide.guide, name="styleguide"),
    path("styleguide/live/", styleguide.live, name="styleguide_live"),
    path("styleguide/series/", styleguide.series, name="styleguide_series"),
    path("styleguide/sent/", styleguide.sent, name="styleguide_sent"),
]
