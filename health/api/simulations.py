"""Trying a draft on the whole base, and what came of it."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint
from common import clock
from common.api import AdminOnly
from common.errors import NotFound
from health.api.accounts import SCORE, named_score
from health.models import NamedScore, Simulation, Version
from health.queries.simulation import findings, latest_simulation, left_out, progress_of
from health.serializers import SimulationSerializer
from health.services import start_simulation


class SimulationView(Endpoint):
    """The simulation of a draft: it runs in the background, so start it, then ask until it is complete."""

    parameters = frozenset({"score"})
    permission_classes = [AdminOnly]
    queryset = Version.objects.none()
    serializer_class = SimulationSerializer

    @extend_schema(request=None, responses={202: SimulationSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Score every account by the draft beside the version in force, and test it on the accounts that were lost."""
        draft = get_object_or_404(Version, number=kwargs["number"])
        simulation = start_simulation(draft=draft, by=self.caller, now=clock.now())
        return Response(self._told(simulation, None), status=202)

    @extend_schema(parameters=[SCORE])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """How far the last simulation of this version is, and when it is complete, what it found about one score."""
        simulation = latest_simulation(get_object_or_404(Version, number=kwargs["number"]))
        if simulation is None:
            raise NotFound(_("This version was not simulated, or long ago; POST to “simulate” first."))
        named = next(one for one in NamedScore.every() if one.key == named_score(request))
        return Response(self._told(simulation, named if simulation.is_complete else None))

    def _told(self, simulation: Simulation, named: NamedScore | None) -> dict[str, Any]:
        told = {
            "simulation": simulation,
            "is_out_of_date": simulation.is_out_of_date(clock.now()),
            "progress": progress_of(simulation),
            "left_out": left_out(simulation),
            "found": findings(simulation, named) if named else None,
        }
        answer: dict[str, Any] = SimulationSerializer(told).data
        return answer
