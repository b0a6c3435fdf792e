"""
The pages that every record has, and those of the journal.

A view loads its record by ``visible_to`` (404), asks ``can`` (403), makes one domain call and
answers. What the domain refuses becomes a form error here and nowhere else.
"""

from core.views.base import (
    Action,
    DomainFormMixin,
    KeyConverter,
    RecordMixin,
    SeeOther,
    VerbView,
    announce,
    list_url,
    record_models,
    url_of,
    where_to_look,
)
from core.views.journal import (
    OperationListView,
    OperationView,
    RecycleBinView,
    RestoreView,
    UndoView,
)
from core.views.keyboard import KeyboardView
from core.views.lists import RecordListView
from core.views.records import (
    RecordArchiveView,
    RecordAssignView,
    RecordCreateView,
    RecordDetailView,
    RecordHistoryView,
    RecordUpdateView,
)
from core.views.search import PickerView, SearchView, SeenView

__all__ = [
    "Action",
    "DomainFormMixin",
    "KeyConverter",
    "KeyboardView",
    "OperationListView",
    "OperationView",
    "PickerView",
    "RecordArchiveView",
    "RecordAssignView",
    "RecordCreateView",
    "RecordDetailView",
    "RecordHistoryView",
    "RecordListView",
    "RecordMixin",
    "RecordUpdateView",
    "RecycleBinView",
    "RestoreView",
    "SearchView",
    "SeeOther",
    "SeenView",
    "UndoView",
    "VerbView",
    "announce",
    "list_url",
    "record_models",
    "url_of",
    "where_to_look",
]
