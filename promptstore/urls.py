"""Every URL of the console process."""

from __future__ import annotations

from django.contrib.auth import views as auth_views
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from promptstore.core.http import health
from promptstore.core.http.openapi import PublicSchema

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("login/", auth_views.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("password/", auth_views.PasswordChangeView.as_view(), name="password_change"),
    path("password/done/", auth_views.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("api/v1/schema/", SpectacularAPIView.as_view(generator_class=PublicSchema), name="schema"),
    path("api/v1/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/v1/", include("promptstore.api")),
    path("", include("registry.urls")),
    path("", include("releases.urls")),
    path("", include("incidents.urls")),
    path("", include("evals.urls")),
    path("", include("reviews.urls")),
    path("", include("telemetry.urls")),
    path("", include("promptstore.console.urls")),
]

handler400 = "promptstore.console.error_pages.bad_request"
handler403 = "promptstore.console.error_pages.permission_denied"
handler404 = "promptstore.console.error_pages.page_not_found"
handler500 = "promptstore.console.error_pages.server_error"
