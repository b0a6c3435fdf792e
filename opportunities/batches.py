"""How many deals at once are edited: with their history, as on the page of each."""

from core.batches import Edit
from opportunities.models import Opportunity
from opportunities.services import save_opportunity

Edit.done_by(Opportunity, save_opportunity)
