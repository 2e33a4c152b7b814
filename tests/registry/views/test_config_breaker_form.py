from __future__ import annotations

from registry.models import ServingConfigVersion
from tests.registry.views.conftest import As
from tests.registry.views.test_model_pages import config


def test_a_breaker_is_published_shown_in_words_and_kept_for_the_next_version(browse: As) -> None:
    client = browse("engineer")
    done = client.post("/configs/new/", config(breaker="on", fallbacks="cheap, template", open_s="45"))

    assert done["Location"] == "/configs/calm/versions/1.0.0/"
    assert ServingConfigVersion.objects.get().body["breaker"] == {
        "open_s": 45,
        "fallbacks": ["cheap", "template"],
    }
    page = client.get("/configs/calm/").content.decode()
    assert "After 45 s it tries 3 again" in page
    assert "cheap model, then the safe-mode answer" in page
    initial = client.get("/configs/new/", {"config": "calm"}).context["form"].initial
    assert (initial["breaker"], initial["open_s"], initial["fallbacks"]) == ("on", 45, "cheap, template")


def test_without_a_breaker_the_page_says_that_it_is_off(browse: As) -> None:
    client = browse("engineer")
    client.post("/configs/new/", config())
    assert "breaker" not in ServingConfigVersion.objects.get().body
    assert "off: the model is always asked" in client.get("/configs/calm/").content.decode()


def test_no_fallbacks_are_an_empty_list(browse: As) -> None:
    browse("engineer").post("/configs/new/", config(breaker="on", fallbacks="none"))
    assert ServingConfigVersion.objects.get().body["breaker"] == {"fallbacks": []}


def test_an_unknown_fallback_or_a_number_out_of_bounds_is_shown_at_its_box(browse: As) -> None:
    client = browse("engineer")
    unknown = client.post("/configs/new/", config(breaker="on", fallbacks="human"))
    assert "cheap, cache or template" in str(unknown.context["form"].errors["fallbacks"])
    long = client.post("/configs/new/", config(breaker="on", open_s="9999"))
    assert "3600" in str(long.context["form"].errors["open_s"])
    assert not ServingConfigVersion.objects.exists()
