"""Whose turn it is in a queue."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from core.records import lock
from leads.models.queue import Queue, QueueMember
from leads.models.takers import why_not_taken


@dataclass
class Turns:
    """A queue whose members are given leads in turns."""

    queue: Queue
    members: list
    today: object
    served: list = field(default_factory=list)

    def next(self, passed_over):
        """
        The member whose turn it is, counted as served; None if nobody can take a lead.

        Those who are skipped are added to ``passed_over``, in words.
        """
        last = self.queue.last_position
        behind = [m for m in self.members if last is None or m.position > last]
        for member in [*behind, *(m for m in self.members if m not in behind)]:
            if reason := self.why_skipped(member):
                passed_over.append(reason)
                continue
            member.take_turn(today=self.today)
            self.queue.last_position = member.position
            self.served.append(member)
            return member.user
        return None

    def why_skipped(self, member):
        """Why a member gets no lead now, in words; "" if he does."""
        if member.is_at_cap(today=self.today):
            message = _("%(user)s has had %(count)s leads today, the most for a day.")
            return message % {"user": member.user, "count": member.daily_cap}
        return why_not_taken(member.user, today=self.today)

    def keep(self):
        """Save whose turn it was, past the journal."""
        for member in dict.fromkeys(self.served):
            member.save(update_fields=["served_on", "served"])
        if self.served:
            self.queue.save(update_fields=["last_position"])


def turns_of(keys, today, rows=lock):
    """The Turns of the queues with these keys, locked by ``rows`` before their members are read."""
    queues = list(rows(Queue.objects.filter(pk__in=sorted(keys))).order_by("pk"))
    members = QueueMember.objects.filter(queue__in=queues).select_related("user")
    by_queue = defaultdict(list)
    for member in members.order_by("position", "pk"):
        by_queue[member.queue_id].append(member)
    return {queue.pk: Turns(queue, by_queue[queue.pk], today) for queue in queues}
