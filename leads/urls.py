from django.urls import path

from core.views import RecordArchiveView, RecordAssignView, RecordHistoryView
from leads.models import Lead
from leads.views import convert, lead, lists, settings, status

app_name = "leads"

urlpatterns = [
    path("", lists.LeadListView.as_view(), name="lead_list"),
    path("statuses/", settings.StatusListView.as_view(), name="leadstatus_list"),
    path("statuses/new/", settings.StatusCreateView.as_view(), name="leadstatus_create"),
    path("statuses/<key:pk>/", settings.StatusUpdateView.as_view(), name="leadstatus_update"),
    path("statuses/<key:pk>/move/", settings.StatusMoveView.as_view(), name="leadstatus_move"),
    path("new/", lead.LeadCreateView.as_view(), name="lead_create"),
    path("<key:pk>/", lead.LeadDetailView.as_view(), name="lead_detail"),
    path("<key:pk>/edit/", lead.LeadUpdateView.as_view(), name="lead_update"),
    path("<key:pk>/status/", status.LeadStatusView.as_view(), name="lead_status"),
    path("<key:pk>/disqualify/", status.LeadDisqualifyView.as_view(), name="lead_disqualify"),
    path("<key:pk>/nurture/", status.LeadNurtureView.as_view(), name="lead_nurture"),
    path("<key:pk>/reopen/", status.LeadReopenView.as_view(), name="lead_reopen"),
    path("<key:pk>/assign/", RecordAssignView.as_view(model=Lead), name="lead_assign"),
    path("<key:pk>/archive/", RecordArchiveView.as_view(model=Lead), name="lead_archive"),
    path("<key:pk>/history/", RecordHistoryView.as_view(model=Lead), name="lead_history"),
    path("<key:pk>/convert/", convert.LeadConvertView.as_view(), name="lead_convert"),
    path("<key:pk>/convert/plan/", convert.LeadConvertPlanView.as_view(), name="lead_convert_plan"),
    path("<key:pk>/conversion/", convert.LeadConversionView.as_view(), name="lead_conversion"),
]
