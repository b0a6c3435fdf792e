from django.urls import path

from crm.administration import views

app_name = "administration"

urlpatterns = [
    path("", views.IndexView.as_view(), name="index"),
    path("users/", views.UserListView.as_view(), name="user_list"),
    path("users/new/", views.UserCreateView.as_view(), name="user_create"),
    path("users/<key:pk>/", views.UserUpdateView.as_view(), name="user_update"),
    path("users/<key:pk>/deactivate/", views.UserDeactivateView.as_view(), name="user_deactivate"),
    path("users/<key:pk>/invite/", views.UserInviteView.as_view(), name="user_invite"),
    path("users/<key:pk>/activate/", views.UserActivateView.as_view(), name="user_activate"),
    path("teams/", views.TeamListView.as_view(), name="team_list"),
    path("teams/new/", views.TeamCreateView.as_view(), name="team_create"),
    path("teams/<key:pk>/", views.TeamUpdateView.as_view(), name="team_update"),
    path("sample-data/", views.SampleDataView.as_view(), name="sample_data"),
    path("first-steps/hide/", views.FirstStepsHideView.as_view(), name="first_steps_hide"),
    path("me/", views.ProfileView.as_view(), name="profile"),
]
