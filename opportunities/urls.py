from django.urls import path

from core.views import RecordArchiveView, RecordAssignView, RecordHistoryView
from core.views.sharing import sharing_paths
from opportunities.models import Opportunity
from opportunities.views import opportunity, role, settings, stage

app_name = "opportunities"

urlpatterns = [
    path("", opportunity.OpportunityListView.as_view(), name="opportunity_list"),
    path("stages/", settings.StageListView.as_view(), name="stage_list"),
    path("stages/new/", settings.StageCreateView.as_view(), name="stage_create"),
    path("stages/<key:pk>/", settings.StageUpdateView.as_view(), name="stage_update"),
    path("stages/<key:pk>/move/", settings.StageMoveView.as_view(), name="stage_move"),
    path("new/", opportunity.OpportunityCreateView.as_view(), name="opportunity_create"),
    path("<key:pk>/", opportunity.OpportunityDetailView.as_view(), name="opportunity_detail"),
    path("<key:pk>/edit/", opportunity.OpportunityUpdateView.as_view(), name="opportunity_update"),
    path(
        "<key:pk>/assign/",
        RecordAssignView.as_view(model=Opportunity),
        name="opportunity_assign",
    ),
    path(
        "<key:pk>/archive/",
        RecordArchiveView.as_view(model=Opportunity),
        name="opportunity_archive",
    ),
    path(
        "<key:pk>/history/",
        RecordHistoryView.as_view(model=Opportunity),
        name="opportunity_history",
    ),
    path("<key:pk>/stage/", stage.StageChangeView.as_view(), name="opportunity_stage"),
    path("<key:pk>/won/", stage.WonView.as_view(), name="opportunity_won"),
    path("<key:pk>/lost/", stage.LostView.as_view(), name="opportunity_lost"),
    path("<key:pk>/reopen/", stage.ReopenView.as_view(), name="opportunity_reopen"),
    path("<key:pk>/people/new/", role.RoleCreateView.as_view(), name="role_create"),
    path(
        "<key:opportunity>/people/<key:pk>/edit/",
        role.RoleUpdateView.as_view(),
        name="role_update",
    ),
    path(
        "<key:opportunity>/people/<key:pk>/primary/",
        role.RolePrimaryView.as_view(),
        name="role_primary",
    ),
    path(
        "<key:opportunity>/people/<key:pk>/remove/",
        role.RoleRemoveView.as_view(),
        name="role_remove",
    ),
    *sharing_paths(Opportunity),
]
