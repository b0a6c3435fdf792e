from django.urls import path

from core.views import RecordArchiveView, RecordAssignView, RecordHistoryView
from core.views.sharing import sharing_paths
from leads.models import Lead
from leads.views import assignment, convert, lead, lists, rules, settings, status

app_name = "leads"

urlpatterns = [
    path("", lists.LeadListView.as_view(), name="lead_list"),
    path("statuses/", settings.StatusListView.as_view(), name="leadstatus_list"),
    path("statuses/new/", settings.StatusCreateView.as_view(), name="leadstatus_create"),
    path("statuses/<key:pk>/", settings.StatusUpdateView.as_view(), name="leadstatus_update"),
    path("statuses/<key:pk>/move/", settings.StatusMoveView.as_view(), name="leadstatus_move"),
    path("rules/", rules.RuleListView.as_view(), name="assignmentrule_list"),
    path("rules/new/", rules.RuleCreateView.as_view(), name="assignmentrule_create"),
    path("rules/try/", rules.RuleTryView.as_view(), name="assignmentrule_try"),
    path("rules/<key:pk>/", rules.RuleUpdateView.as_view(), name="assignmentrule_update"),
    path("rules/<key:pk>/move/", rules.RuleMoveView.as_view(), name="assignmentrule_move"),
    path("queues/", rules.QueueListView.as_view(), name="queue_list"),
    path("queues/new/", rules.QueueCreateView.as_view(), name="queue_create"),
    path("queues/<key:queue>/", rules.MemberListView.as_view(), name="queuemember_list"),
    path("queues/<key:pk>/edit/", rules.QueueUpdateView.as_view(), name="queue_update"),
    path("queues/<key:queue>/new/", rules.MemberCreateView.as_view(), name="queuemember_create"),
    path("members/<key:pk>/", rules.MemberUpdateView.as_view(), name="queuemember_update"),
    path("members/<key:pk>/move/", rules.MemberMoveView.as_view(), name="queuemember_move"),
    path("members/<key:pk>/remove/", rules.MemberRemoveView.as_view(), name="queuemember_remove"),
    path("new/", lead.LeadCreateView.as_view(), name="lead_create"),
    path("<key:pk>/", lead.LeadDetailView.as_view(), name="lead_detail"),
    path("<key:pk>/edit/", lead.LeadUpdateView.as_view(), name="lead_update"),
    path("<key:pk>/status/", status.LeadStatusView.as_view(), name="lead_status"),
    path("<key:pk>/disqualify/", status.LeadDisqualifyView.as_view(), name="lead_disqualify"),
    path("<key:pk>/nurture/", status.LeadNurtureView.as_view(), name="lead_nurture"),
    path("<key:pk>/reopen/", status.LeadReopenView.as_view(), name="lead_reopen"),
    path("<key:pk>/assign/", RecordAssignView.as_view(model=Lead), name="lead_assign"),
    path("<key:pk>/rules/", assignment.LeadRulesView.as_view(), name="lead_rules"),
    path("<key:pk>/hand-over/", assignment.LeadHandOverView.as_view(), name="lead_hand_over"),
    path("<key:pk>/accept/", assignment.LeadAcceptView.as_view(), name="lead_accept"),
    path("<key:pk>/return/", assignment.LeadReturnView.as_view(), name="lead_return"),
    path("<key:pk>/archive/", RecordArchiveView.as_view(model=Lead), name="lead_archive"),
    path("<key:pk>/history/", RecordHistoryView.as_view(model=Lead), name="lead_history"),
    path("<key:pk>/convert/", convert.LeadConvertView.as_view(), name="lead_convert"),
    path("<key:pk>/convert/plan/", convert.LeadConvertPlanView.as_view(), name="lead_convert_plan"),
    path("<key:pk>/conversion/", convert.LeadConversionView.as_view(), name="lead_conversion"),
    *sharing_paths(Lead),
]
