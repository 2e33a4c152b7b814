from __future__ import annotations
import pytest
from tests.releases.stage import set_stage, Stage
from tests.cast import Cast

@pytest.fixture
def stage(cast: Cast) -> Stage:
    return set_stage(cast)

def test_x(stage):
    from rest_framework.test import APIClient
    c = APIClient(); c.force_login(stage.cast.users["engineer"])
    for u in ["releases/", f"releases/{stage.first.digest}/", "releases/1.0.0/", "environments/", "environments/production/policy/", "promotions/", "rollouts/", "deployments/", "features/config-assistant/active/"]:
        r = c.get(f"/api/v1/projects/acme/{u}")
        print(u, r.status_code, str(r.json())[:150])
    ro = stage.rolling()
    r = c.get(f"/api/v1/projects/acme/rollouts/{ro.pk}/"); print(r.json())
    r = c.get(f"/api/v1/projects/acme/promotions/{ro.promotion_id}/"); print(r.json())
