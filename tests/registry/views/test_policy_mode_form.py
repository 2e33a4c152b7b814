from __future__ import annotations

from registry.models import ServingConfigVersion
from registry.policy import PolicyMode
from tests.registry.views.conftest import As
from tests.registry.views.test_model_pages import config


def test_the_form_says_what_each_mode_promises_and_a_window_is_kept_for_the_next_version(browse: As) -> None:
    client = browse("engineer")
    page = client.get("/configs/new/").content.decode()
    assert all(mode.promise in page for mode in PolicyMode)

    done = client.post("/configs/new/", config(policy_mode="window"))
    assert done["Location"] == "/configs/calm/versions/1.0.0/"
    assert ServingConfigVersion.objects.get().body["policy"]["mode"] == "window"
    assert "hold the newest words back" in client.get("/configs/calm/").content.decode()
    again = client.get("/configs/new/", {"config": "calm"})
    assert again.context["form"].initial["policy_mode"] == "window"


def test_an_entry_that_a_window_cannot_hold_is_refused_at_its_box(browse: As) -> None:
    answer = browse("engineer").post(
        "/configs/new/", config(policy_mode="window", banned="long: /x{1001}/\nend: /bye$/")
    )
    assert answer.status_code == 422
    assert "holds at most 1,000 back" in str(answer.context["form"].errors["banned"])
    assert not ServingConfigVersion.objects.exists()
