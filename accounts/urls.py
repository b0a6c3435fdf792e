from django.urls import path

from accounts.models import Account
from accounts.views import account, tree
from core.views import RecordHistoryView
from core.views.sharing import sharing_paths

app_name = "accounts"

urlpatterns = [
    path("", account.AccountListView.as_view(), name="account_list"),
    path("new/", account.AccountCreateView.as_view(), name="account_create"),
    path("<key:pk>/", account.AccountDetailView.as_view(), name="account_detail"),
    path("<key:pk>/edit/", account.AccountUpdateView.as_view(), name="account_update"),
    path("<key:pk>/move/", account.AccountMoveView.as_view(), name="account_move"),
    path("<key:pk>/top/", account.AccountTopView.as_view(), name="account_top"),
    path("<key:pk>/tree/", tree.AccountTreeView.as_view(), name="account_tree"),
    path(
        "<key:pk>/copy-billing/",
        account.AccountCopyBillingView.as_view(),
        name="account_copy_billing",
    ),
    path("<key:pk>/assign/", account.AccountAssignView.as_view(), name="account_assign"),
    path("<key:pk>/archive/", account.AccountArchiveView.as_view(), name="account_archive"),
    path("<key:pk>/history/", RecordHistoryView.as_view(model=Account), name="account_history"),
    *sharing_paths(Account),
]
