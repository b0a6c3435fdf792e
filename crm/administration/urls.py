from django.urls import path

from crm.administration import audit, people, views

app_name = "administration"

urlpatterns = [
    path("", views.IndexView.as_view(), name="index"),
    path("users/", people.UserListView.as_view(), name="user_list"),
    path("users/new/", people.UserCreateView.as_view(), name="user_create"),
    path("users/<key:pk>/", people.UserUpdateView.as_view(), name="user_update"),
    path("users/<key:pk>/deactivate/", people.UserDeactivateView.as_view(), name="user_deactivate"),
    path("users/<key:pk>/invite/", people.UserInviteView.as_view(), name="user_invite"),
    path("users/<key:pk>/activate/", people.UserActivateView.as_view(), name="user_activate"),
    path("teams/", people.TeamListView.as_view(), name="team_list"),
    path("teams/new/", people.TeamCreateView.as_view(), name="team_create"),
    path("teams/<key:pk>/", people.TeamUpdateView.as_view(), name="team_update"),
    path("audit/", audit.AuditView.as_view(), name="audit"),
    path("audit/export/", audit.AuditExportView.as_view(), name="audit_export"),
    path("sample-data/", views.SampleDataView.as_view(), name="sample_data"),
    path("first-steps/hide/", views.FirstStepsHideView.as_view(), name="first_steps_hide"),
    path("me/", people.ProfileView.as_view(), name="profile"),
]
