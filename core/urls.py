from django.urls import path, register_converter

from core import views
from core.views import batches, list_values, organisation, rates, saved

app_name = "core"

register_converter(views.KeyConverter, "key")

urlpatterns = [
    path("search/", views.SearchView.as_view(), name="search"),
    path("seen/<str:label>/<key:pk>/", views.SeenView.as_view(), name="seen"),
    path("keyboard/", views.KeyboardView.as_view(), name="keyboard"),
    path("pick/<str:label>/", views.PickerView.as_view(), name="picker"),
    path("views/pinned/", saved.PinnedView.as_view(), name="pinned"),
    path("views/<str:label>/new/", saved.SavedViewCreateView.as_view(), name="savedview_create"),
    path("views/<key:pk>/edit/", saved.SavedViewUpdateView.as_view(), name="savedview_update"),
    path("views/<key:pk>/remove/", saved.SavedViewDeleteView.as_view(), name="savedview_delete"),
    path("batches/<str:label>/", batches.ChooseView.as_view(), name="choose"),
    path("batch/<key:pk>/", batches.BatchView.as_view(), name="batch"),
    path("batch/<key:pk>/do/", batches.BatchVerbView.as_view(), name="batch_verb"),
    path("history/", views.OperationListView.as_view(), name="history"),
    path("operations/<key:pk>/", views.OperationView.as_view(), name="operation"),
    path("operations/<key:pk>/undo/", views.UndoView.as_view(), name="undo"),
    path("recycle-bin/", views.RecycleBinView.as_view(), name="recycle_bin"),
    path("recycle-bin/<str:label>/<key:pk>/", views.RestoreView.as_view(), name="restore"),
    path(
        "settings/organisation/",
        organisation.OrganisationUpdateView.as_view(),
        name="organisation_update",
    ),
    path("settings/access/", organisation.AccessUpdateView.as_view(), name="access_update"),
    path("settings/lists/", list_values.ListIndexView.as_view(), name="list_index"),
    path(
        "settings/lists/values/<key:pk>/move/",
        list_values.ListValueMoveView.as_view(),
        name="listvalue_move",
    ),
    path(
        "settings/lists/<slug:list_key>/",
        list_values.ListValueListView.as_view(),
        name="listvalue_list",
    ),
    path(
        "settings/lists/<slug:list_key>/new/",
        list_values.ListValueCreateView.as_view(),
        name="listvalue_create",
    ),
    path(
        "settings/lists/<slug:list_key>/<key:pk>/",
        list_values.ListValueUpdateView.as_view(),
        name="listvalue_update",
    ),
    path(
        "settings/lists/<slug:list_key>/<key:pk>/remove/",
        list_values.ListValueRemoveView.as_view(),
        name="listvalue_remove",
    ),
    path("settings/rates/", rates.RateListView.as_view(), name="exchangerate_list"),
    path("settings/rates/new/", rates.RateCreateView.as_view(), name="exchangerate_create"),
    path(
        "settings/rates/<key:pk>/",
        rates.RateUpdateView.as_view(),
        name="exchangerate_update",
    ),
]
