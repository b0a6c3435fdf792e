"""Conditions on the records that refer to one: "has a deal where …", "has no person"."""

from dataclasses import dataclass
from functools import cached_property

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from core.models import Record

HAS, HAS_NO = "has", "has_no"
MOST_RELATED = 1_000


@dataclass(frozen=True)
class Relation:
    """
    The records of another model that refer to a record by one of their fields.

    Only those count that the asking user may see, and none of the recycle bin.
    """

    name: str
    field: models.ForeignKey
    context: object

    offered = (HAS, HAS_NO)

    @property
    def model(self):
        """The model whose records refer to ours."""
        return self.field.model

    @property
    def label(self):
        """What they are called; among records of one kind, by what they refer to."""
        plural = capfirst(str(self.model._meta.verbose_name_plural))
        if self.model is not self.field.related_model:
            return plural
        return f"{plural} ({self.field.verbose_name})"

    def rows(self):
        """All that count."""
        return self.model.objects.live().visible_to(self.context.by)


@dataclass(frozen=True)
class RelatedCondition:
    """That at least ``count`` records of a relation fit a group, or, for has_no, fewer."""

    type: Relation
    op: str
    group: object
    count: int

    @property
    def field(self):
        return self.type.name

    @property
    def items(self):
        return self.group.items

    @cached_property
    def q(self):
        name = self.type.field.name
        rows = self.type.rows().filter(self.group.q, **{name: OuterRef("pk")}).order_by()
        if self.count > 1:
            rows = rows.values(name).annotate(n=Count("pk")).filter(n__gte=self.count)
        where = Q(Exists(rows))
        return where if self.op == HAS else ~where

    def matches(self, record):
        """Unlike conditions on fields this one asks the database."""
        rows = self.type.rows().filter(self.group.q, **{self.type.field.name: record.pk})
        found = rows.order_by()[: self.count].count() >= self.count
        return found == (self.op == HAS)

    @property
    def document(self):
        found = {"field": self.field, "op": self.op}
        if self.group.items:
            found["value"] = self.group.document
        return found if self.count == 1 else found | {"count": self.count}

    @property
    def label(self):
        return self.type.label

    @property
    def words(self):
        """What is asked of them: "at least 2 with Closed is no"."""
        if self.op == HAS:
            words = _("at least %(count)s") % {"count": self.count}
        elif self.count == 1:
            words = _("none")
        else:
            words = _("fewer than %(count)s") % {"count": self.count}
        if not self.group.items:
            return words
        return _("%(words)s with %(what)s") % {"words": words, "what": self.group.words}


def relations_of(model):
    """The fields of other records that refer to those of ``model``, by the relation's name."""
    return {
        relation.get_accessor_name(): relation.field
        for relation in model._meta.related_objects
        if issubclass(relation.related_model, Record) and not relation.hidden
    }
