from django.urls import path

from contacts.models import Contact
from contacts.views import contact, relation
from core.views import RecordArchiveView, RecordAssignView, RecordHistoryView
from core.views.sharing import sharing_paths

app_name = "contacts"

urlpatterns = [
    path("", contact.ContactListView.as_view(), name="contact_list"),
    path("new/", contact.ContactCreateView.as_view(), name="contact_create"),
    path("<key:pk>/", contact.ContactDetailView.as_view(), name="contact_detail"),
    path("<key:pk>/edit/", contact.ContactUpdateView.as_view(), name="contact_update"),
    path("<key:pk>/assign/", RecordAssignView.as_view(model=Contact), name="contact_assign"),
    path("<key:pk>/archive/", RecordArchiveView.as_view(model=Contact), name="contact_archive"),
    path("<key:pk>/history/", RecordHistoryView.as_view(model=Contact), name="contact_history"),
    path("<key:pk>/job-change/", relation.JobChangeView.as_view(), name="contact_job_change"),
    path(
        "<key:contact>/job-change/<key:pk>/cancel/",
        relation.PlannedJobChangeCancelView.as_view(),
        name="plannedjobchange_cancel",
    ),
    path("<key:pk>/account/", relation.AccountCorrectView.as_view(), name="contact_account"),
    path("<key:pk>/accounts/new/", relation.RelationCreateView.as_view(), name="relation_create"),
    path(
        "<key:contact>/accounts/<key:pk>/edit/",
        relation.RelationUpdateView.as_view(),
        name="relation_update",
    ),
    path(
        "<key:contact>/accounts/<key:pk>/main/",
        relation.RelationMainView.as_view(),
        name="relation_main",
    ),
    path(
        "<key:contact>/accounts/<key:pk>/primary/",
        relation.RelationPrimaryView.as_view(),
        name="relation_primary",
    ),
    path(
        "<key:contact>/accounts/<key:pk>/end/",
        relation.RelationEndView.as_view(),
        name="relation_end",
    ),
    path(
        "<key:contact>/accounts/<key:pk>/remove/",
        relation.RelationRemoveView.as_view(),
        name="relation_remove",
    ),
    *sharing_paths(Contact),
]
