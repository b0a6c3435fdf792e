from django.urls import path, register_converter

from core import views

app_name = "core"

register_converter(views.KeyConverter, "key")

urlpatterns = [
    path("search/", views.SearchView.as_view(), name="search"),
    path("pick/<str:label>/", views.PickerView.as_view(), name="picker"),
    path("history/", views.OperationListView.as_view(), name="history"),
    path("operations/<key:pk>/", views.OperationView.as_view(), name="operation"),
    path("operations/<key:pk>/undo/", views.UndoView.as_view(), name="undo"),
    path("recycle-bin/", views.RecycleBinView.as_view(), name="recycle_bin"),
    path("recycle-bin/<str:label>/<key:pk>/", views.RestoreView.as_view(), name="restore"),
]
