from surveys.queries.figures import NpsFigures, Results, nps_figures, results
from surveys.queries.invitations import invitation_of, open_invitation

__all__ = ["NpsFigures", "Results", "invitation_of", "nps_figures", "open_invitation", "results"]
