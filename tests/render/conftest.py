"""Laws hold on slow machines too."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("exptrack", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("exptrack")
