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

def test_pages(stage):
    from django.test import Client
    from tests.releases.stage import traffic
    c = Client(); c.force_login(stage.cast.users["owner"])
    p = stage.waiting()
    urls = ["", "compose/", f"{stage.first.pk}/", f"by-digest/{stage.first.digest}/", "promotions/", f"promotions/{p.pk}/", f"promotions/{p.pk}/live/",f"promotions/{p.pk}/decide/", f"deployments/{stage.production.pk}/", "environments/production/policy/", "environments/production/policy/?edit"]
    def go(us):
        for u in us:
            r = c.get(f"/releases/{u}")
            print(u, r.status_code, len(r.content))
            assert r.status_code in (200, 302, 286), r.content.decode()[-3000:]
    go(urls)
    stage.approve(p)
    from releases import services
    services.start_promotion(promotion_id=p.pk)
    p.refresh_from_db()
    ro = p.rollout
    traffic(ro, minutes=5)
    go([f"rollouts/{ro.pk}/", f"rollouts/{ro.pk}/live/", f"rollouts/{ro.pk}/actions/"])
