"""Every address of the site; each app lists its own under its prefix."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from cs_platform.probes import healthz, readyz

handler500 = "cs_platform.problems.broken"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("s/", include("surveys.urls")),
    path("u/", include("accounts.urls")),
    path("v1/", include("usage.urls")),
    path("user/", include("allauth.urls")),
    path("api/v1/", include("cs_platform.api")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("", include("console.urls")),
]
