"""
A filter as a page edits it: its tree as named inputs, read back from what a form sent.

The editor keeps what was typed, also what can't be asked, so that it can be put right.
"""

import json
import re
from dataclasses import dataclass, field

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.filtering.language import (
    DEEPEST,
    JOINS,
    SEVERAL,
    VALUELESS,
    FilterRefused,
    field_types,
    label_of,
    parse,
    relations,
)
from core.filtering.periods import PERIODS
from core.filtering.related import Relation
from core.filtering.types import IN_DAYS, Day, Linked, Number, Text

MOST_NODES = 200
INPUT = re.compile(r"r((?:-\d{1,3})*)\.(join|field|op|value|find|count)")
FOUND = 10

NAMES = {
    "search": gettext_lazy("has the words"),
    "is": gettext_lazy("is"),
    "is_not": gettext_lazy("is not"),
    "contains": gettext_lazy("contains"),
    "starts": gettext_lazy("begins with"),
    "in": gettext_lazy("is one of"),
    "not_in": gettext_lazy("is none of"),
    "lt": gettext_lazy("is less than"),
    "lte": gettext_lazy("is at most"),
    "gt": gettext_lazy("is more than"),
    "gte": gettext_lazy("is at least"),
    "between": gettext_lazy("is between"),
    "during": gettext_lazy("is in"),
    "last": gettext_lazy("is in the last … days"),
    "next": gettext_lazy("is in the next … days"),
    "older": gettext_lazy("is more than … days ago"),
    "ahead": gettext_lazy("is in … days or later"),
    "empty": gettext_lazy("is empty"),
    "filled": gettext_lazy("is not empty"),
    "has": gettext_lazy("at least"),
    "has_no": gettext_lazy("fewer than"),
}
DAY_NAMES = {
    "lt": gettext_lazy("is before"),
    "lte": gettext_lazy("is on or before"),
    "gt": gettext_lazy("is after"),
    "gte": gettext_lazy("is on or after"),
}
ADD, ADD_GROUP, REMOVE = "add", "group", "remove"


@dataclass
class Node:
    """
    A group, or a condition, of the page: ``key`` begins the names of its inputs.

    ``types`` are what a group's own conditions may ask. A condition on related records is both:
    a condition with a group of its own.
    """

    key: str
    join: str = ""
    name: str = ""
    op: str = ""
    values: list = field(default_factory=list)
    find: str = ""
    items: list = field(default_factory=list)
    type: object = None
    types: dict = field(default_factory=dict)
    count: str = "1"
    error: str = ""

    @property
    def is_group(self):
        return bool(self.join)

    @property
    def is_related(self):
        return isinstance(self.type, Relation)

    @property
    def fields(self):
        """The fields to choose from, by name: (name, label)."""
        types = self.types.items()
        found = [(name, label_of(t)) for name, t in types if not isinstance(t, Relation)]
        return sorted(found, key=_by_label)

    @property
    def relations(self):
        """The related records to choose from; too deep there is no room for their conditions."""
        types = self.types.items() if self.can_nest else ()
        found = [(name, label_of(t)) for name, t in types if isinstance(t, Relation)]
        return sorted(found, key=_by_label)

    @property
    def label(self):
        return label_of(self.type) if self.type else _("Unavailable field “%s”") % self.name[:60]

    @property
    def depth(self):
        return self.key.count("-") + 1

    @property
    def can_nest(self):
        return self.depth < DEEPEST

    @property
    def operators(self):
        """The operators to choose from: (operator, words, whether it is chosen)."""
        if self.type is None:
            return []
        names = NAMES | DAY_NAMES if isinstance(self.type, Day) else NAMES
        return [(op, names[op], op == self.op) for op in self.type.offered]

    @property
    def widget(self):
        """Which input takes the value; "" if the operator takes none."""
        if self.type is None or self.op in VALUELESS:
            return ""
        if self.op == "during" or self.options is not None:
            return "choose" if self.op in SEVERAL else "select"
        if isinstance(self.type, Linked):
            return "find"
        if isinstance(self.type, Text) and self.op == "in":
            return "lines"
        if self.op in SEVERAL and not isinstance(self.type, Day | Number):
            return "lines"
        return "between" if self.op == "between" else "one"

    @property
    def input_type(self):
        """The type of the input for one value."""
        if self.op in IN_DAYS:
            return "number"
        return "date" if isinstance(self.type, Day) else "text"

    @property
    def options(self):
        """
        The values to choose from: (value, label, whether it is chosen); None if typed.

        Of many the chosen ones come first, so that they are seen.
        """
        if self.op == "during":
            found = PERIODS.items()
        else:
            found = self.type.options()
        if found is None:
            return None
        shown = [(value, capfirst(str(label)), value in self.values) for value, label in found]
        return sorted(shown, key=lambda option: not option[2]) if len(shown) > FOUND else shown

    @property
    def found(self):
        """The records to tick: those chosen already, and those found by the typed text."""
        keys = [int(v) for v in self.values if v.isascii() and v.isdigit() and len(v) < 19]
        self.type.find(keys)
        found = [(str(k), self.type.labels[k], True) for k in keys if k in self.type.labels]
        if self.find:
            model = self.type.field.related_model
            rows = model.objects.live().visible_to(self.type.context.by)
            rows = rows.search(self.find, by=self.type.context.by)
            rows = rows.exclude(pk__in=keys).order_by("-pk")[:FOUND]
            found += [(str(row.pk), str(row), False) for row in rows]
        return found

    @property
    def first(self):
        return self.values[0] if self.values else ""

    @property
    def second(self):
        return self.values[1] if len(self.values) > 1 else ""

    @property
    def lines(self):
        return "\n".join(self.values)

    @property
    def document(self):
        group = {self.join: [item.document for item in self.items]}
        if self.is_related:
            return {"field": self.name, "op": self.op, "value": group, "count": self.count}
        if self.is_group:
            return group
        found = {"field": self.name, "op": self.op}
        if self.op in VALUELESS:
            return found
        if self.op in SEVERAL:
            return found | {"value": list(self.values)}
        return found | {"value": self.first}


def _by_label(pair):
    return str(pair[1]).casefold()


class Editor:
    """The tree of a filter over ``model`` as ``by`` edits it."""

    def __init__(self, model, *, by, root=None):
        self.model = model
        self.by = by
        self.types = {**relations(model, by), **field_types(model, by)}
        self.root = root or Node("r", join="all", types=self.types)

    @classmethod
    def from_document(cls, model, document, *, by):
        """What can be shown of a document, however it was made."""
        editor = cls(model, by=by)
        if isinstance(document, dict):
            document = {k: v for k, v in document.items() if k in JOINS} or {"all": []}
            editor.root = editor._node("r", document, editor.types) or editor.root
        return editor

    @classmethod
    def from_data(cls, model, data, *, by):
        """What a form sent."""
        editor = cls(model, by=by)
        inputs = {}
        for name in data:
            if (match := INPUT.fullmatch(name)) and len(inputs) < MOST_NODES * 5:
                inputs.setdefault(match[1], {})[match[2]] = data.getlist(name)
        paths = sorted(inputs, key=lambda path: [int(part) for part in path.split("-")[1:]])
        nodes = {"": editor._sent("r", inputs.get("", {"join": ["all"]}), editor.types)}
        for path in paths[:MOST_NODES]:
            above = nodes.get(path.rpartition("-")[0]) if path else None
            if above is not None and above.is_group:
                nodes[path] = editor._sent(f"r{path}", inputs[path], above.types)
                above.items.append(nodes[path])
        editor.root = nodes[""]
        editor.root.join = editor.root.join or "all"
        return editor

    def _sent(self, key, inputs, types):
        def last(name):
            return inputs.get(name, [""])[-1]

        found = types.get(last("field"))
        if isinstance(found, Relation):
            count = last("count").strip() or "1"
            return self._related(key, found, last("op"), count=count, join=last("join"))
        if last("join") in JOINS:
            return Node(key, join=last("join"), types=types)
        op = last("op") or (found.offered[0] if found else "")
        values = inputs.get("value", [])
        if found and op == "in" and len(values) == 1 and "\n" in values[0]:
            values = values[0].splitlines()
        values = [value.strip() for value in values if value.strip()]
        if isinstance(found, Number):
            values = [value.replace(",", ".") for value in values]
        find = last("find").strip()
        return Node(key, name=last("field"), op=op, values=values, find=find, type=found)

    def _related(self, key, found, op, *, count="1", join="all"):
        """A condition on related records, whose own conditions ask about their fields."""
        types = field_types(found.model, self.by)
        node = Node(key, name=found.name, op=op or found.offered[0], type=found, types=types)
        node.count, node.join = count, join if join in JOINS else "all"
        return node

    def _node(self, key, document, types):
        join = next((join for join in JOINS if join in document), "")
        if join and isinstance(document[join], list):
            return self._filled(Node(key, join=join, types=types), document[join])
        if "field" not in document:
            return None
        name, op = str(document["field"]), str(document.get("op", ""))
        value = document.get("value", "")
        if isinstance(found := types.get(name), Relation):
            value = value if isinstance(value, dict) else {}
            join = next((join for join in JOINS if isinstance(value.get(join), list)), "all")
            node = self._related(key, found, op, count=str(document.get("count", 1)), join=join)
            return self._filled(node, value.get(join, []))
        values = value if isinstance(value, list) else [value]
        shown = [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
        shown = [] if op in VALUELESS else [text for text in shown if text]
        return Node(key, name=name, op=op, values=shown, type=found)

    def _filled(self, group, documents):
        """The group with its items; None if it stands too deep."""
        if group.depth > DEEPEST:
            return None
        found = (item for item in documents if isinstance(item, dict))
        made = (
            self._node(f"{group.key}-{number}", item, group.types)
            for number, item in enumerate(found)
        )
        group.items = [item for item in made if item is not None][:MOST_NODES]
        return group

    @property
    def document(self):
        return self.root.document

    def nodes(self, node=None):
        """All nodes, a group before what stands in it."""
        node = node or self.root
        yield node
        for item in node.items:
            yield from self.nodes(item)

    def change(self, do, data):
        """Do what a button asks for: ``add:r-0``, ``group:r``, ``remove:r-0-1``."""
        what, _colon, key = do.partition(":")
        node = next((node for node in self.nodes() if node.key == key), None)
        if node is None:
            return
        if what == REMOVE:
            for group in self.nodes():
                group.items = [item for item in group.items if item is not node]
        elif what == ADD_GROUP and node.is_group and node.can_nest:
            other = "any" if node.join == "all" else "all"
            node.items.append(Node(self._next_key(node), join=other, types=node.types))
        elif what == ADD and node.is_group:
            new, found = self._next_key(node), node.types.get(data.get(f"{key}.add", ""))
            if isinstance(found, Relation):
                node.items.append(self._related(new, found, ""))
            elif found is not None:
                node.items.append(Node(new, name=found.name, op=found.offered[0], type=found))

    def _next_key(self, group):
        taken = [int(item.key.rpartition("-")[2]) for item in group.items]
        return f"{group.key}-{max(taken, default=-1) + 1}"

    def check(self):
        """
        The Filter that the tree stands for.

        :raises FilterRefused: with its message also at the node that it is about
        """
        try:
            return parse(self.model, self.document, by=self.by)
        except FilterRefused as error:
            node = self.root
            for number in error.place:
                node = node.items[number - 1] if number <= len(node.items) else node
            node.error = error.reason
            raise


class EditorFormMixin:
    """
    A RecordForm with the conditions of a filter; ``document_field`` of the record holds them.

    They come from the editor that the view gives; a filter that can't be asked is refused. A
    form of one field alone, which sends none of them, leaves them as they are.
    """

    document_field = ""

    def __init__(self, *args, editor, **kwargs):
        super().__init__(*args, **kwargs)
        self.editor = editor

    def clean(self):
        cleaned = super().clean()
        if not any(INPUT.fullmatch(name) for name in self.data):
            return cleaned
        try:
            found = self.editor.check()
        except FilterRefused as error:
            self.add_error(None, error.message)
        else:
            setattr(self.instance, self.document_field, found.document)
            # The one-time key stands for the conditions as well.
            cleaned["conditions"] = json.dumps(found.document, sort_keys=True)
        return cleaned

    def apply_to(self, record):
        record = super().apply_to(record)
        setattr(record, self.document_field, getattr(self.instance, self.document_field))
        return record
