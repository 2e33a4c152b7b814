"""Two owners who change one policy at the same moment, with real threads and real commits."""

from __future__ import annotations

from releases import services
from releases.models import EnvironmentPolicy
from tests.cast import Cast, make_cast
from tests.threads import at_once


def test_of_two_changes_at_once_one_is_told_that_it_was_overtaken(transactional_db: None) -> None:
    cast: Cast = make_cast("acme")

    def change(hours: int) -> EnvironmentPolicy:
        return services.change_policy(
            actor=cast.actor("owner"),
            project_id=cast.project.pk,
            environment_id=cast.staging.pk,
            body={"quorum": 0, "plan": None, "expires_after_h": hours},
            expected_number=0,
        )

    results = at_once(lambda: change(24), lambda: change(48))
    assert sorted(getattr(result, "code", "changed") for result in results) == ["changed", "stale_write"]
    assert EnvironmentPolicy.objects.get(environment=cast.staging).number == 1
