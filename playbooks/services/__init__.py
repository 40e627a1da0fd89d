from playbooks.services.advancing import advance_due
from playbooks.services.by_hand import start_by_hand, take_out
from playbooks.services.emails import delete_template, mark_bounces, save_template, send_held_back, send_test
from playbooks.services.entering import consume_events, enter_accounts, enter_by_hand, evaluate_entries
from playbooks.services.given_up import tell_given_up
from playbooks.services.holdouts import measure_holdouts, start_holdout, stop_holdout
from playbooks.services.priorities import refresh_priorities
from playbooks.services.publishing import (
    create_playbook,
    describe_playbook,
    discard_draft,
    pause,
    publish,
    resume,
    retry_run,
    save_draft,
    stop_run,
)
from playbooks.services.recurring import make_due_tasks
from playbooks.services.rehearsing import rehearse_next, start_rehearsal
from playbooks.services.tasks import (
    cancel_task,
    complete_task,
    create_task,
    reassign_task,
    reopen_task,
    snooze_task,
    unsnooze_task,
)
from playbooks.services.waking import wake_waiting
from playbooks.services.worsening import wake_worsened

__all__ = [
    "advance_due",
    "cancel_task",
    "complete_task",
    "consume_events",
    "create_playbook",
    "create_task",
    "delete_template",
    "describe_playbook",
    "discard_draft",
    "enter_accounts",
    "enter_by_hand",
    "evaluate_entries",
    "make_due_tasks",
    "mark_bounces",
    "measure_holdouts",
    "pause",
    "publish",
    "reassign_task",
    "refresh_priorities",
    "rehearse_next",
    "reopen_task",
    "resume",
    "retry_run",
    "save_draft",
    "save_template",
    "send_held_back",
    "send_test",
    "snooze_task",
    "start_by_hand",
    "start_holdout",
    "start_rehearsal",
    "stop_holdout",
    "stop_run",
    "take_out",
    "tell_given_up",
    "unsnooze_task",
    "wake_waiting",
    "wake_worsened",
]
